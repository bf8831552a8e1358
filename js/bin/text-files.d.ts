/** The bundler turns these imports into their text. */
declare module '*.yaml' {
  const text: string
  export default text
}
