/** Looks into the server's PostgreSQL: is a value stored anywhere? Where a test needs it, changes a row. */

import postgres from 'postgres'

/**
 * @template T
 * @param {string} url
 * @param {(sql: import('postgres').Sql) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withDatabase(url, use) {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await use(sql)
  } finally {
    await sql.end()
  }
}

/**
 * Every table and column that holds one of the values in clear text.
 * @param {string} url
 * @param {string[]} values
 * @returns {Promise<{ tables: number, rows: number, found: string[] }>}
 */
export function searchDatabase(url, values) {
  return withDatabase(url, async (sql) => {
    const tables = await sql`
      select table_schema as schema, table_name as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`
    let rows = 0
    /** @type {string[]} */
    const found = []
    for (const { schema, name } of tables) {
      const table = sql`${sql(schema)}.${sql(name)}`
      const [{ count } = { count: 0 }] = await sql`select count(*)::int as count from ${table}`
      rows += count
      for (const value of values) {
        const hits = await sql`select t::text as row from ${table} t where position(${value} in t::text) > 0 limit 3`
        found.push(...hits.map(({ row }) => `${name}: ${excerpt(row, value)}`))
      }
    }
    return { tables: tables.length, rows, found }
  })
}

/** What stands around the value. @param {string} text @param {string} value */
const excerpt = (text, value) => text.slice(Math.max(0, text.indexOf(value) - 80), text.indexOf(value))
