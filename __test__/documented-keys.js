/**
 * Every configuration key that has a bullet in the documentation.
 * @param {string} markdown
 */
export function documentedKeys(markdown) {
  const bullets = [...markdown.matchAll(/^- ((?:`[A-Za-z.]+`(?:, )?)+) \(/gm)]
  return bullets.flatMap(([, names = '']) => [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
}
