// node engine.mjs ddl FILE…        what Prisma writes for an empty database
//                 rest FILE…       what Prisma would change in the database that is there
//                 diagnose FOLDER  what Prisma says of migrations and database, as JSON
// The database is DATABASE_URL, and where copies of it may be made.
import fs from 'node:fs'
import path from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'
import connection from 'pg-connection-string'

const wasm = new URL('./node_modules/@prisma/schema-engine-wasm/schema_engine_bg.wasm', import.meta.url)
const { instance } = await WebAssembly.instantiate(fs.readFileSync(wasm), { './schema_engine_bg.js': engine })
engine.__wbg_set_wasm(instance.exports)
instance.exports.__wbindgen_start()

// Since version 7 the engine refuses addresses in the schema, and a preview feature that it had before.
const asOfToday = (text) => text
  .replace(/^\s*(url|directUrl|shadowDatabaseUrl)\s*=.*$/gm, '')
  .replace(/^\s*previewFeatures\s*=.*/gm, (line) => line.replace(/"metrics",\s*|,?\s*"metrics"/, ''))
const read = (file) => asOfToday(fs.readFileSync(file, 'utf8'))
const nothing = { externalTables: [], externalEnums: [] }

// As parts: a whole address would win over the name of the shadow database.
const open = (datamodels) => engine.SchemaEngine.new({ datamodels }, () => {},
  bindMigrationAwareSqlAdapterFactory(new PrismaPg(connection.parse(process.env.DATABASE_URL))))

async function diff(from, paths) {
  const files = paths.map((file) => ({ path: file, content: read(file) }))
  const schema = await open(files.map(({ path, content }) => [path, content]))
  const source = from === 'empty' ? { tag: 'empty' } : { tag: 'schemaDatasource', files, configDir: '.' }
  const answer = await schema.diff({
    from: source, to: { tag: 'schemaDatamodel', files },
    script: true, shadowDatabaseUrl: null, exitCode: null, filters: nothing,
  })
  return answer.stdout ?? ''
}

function migration(folder, name) {
  const file = path.join(folder, name, 'migration.sql')
  const content = fs.existsSync(file)
    ? { tag: 'ok', value: fs.readFileSync(file, 'utf8') } : { tag: 'error', value: 'not there' }
  return { path: name, migrationFile: { path: 'migration.sql', content } }
}

async function diagnose([folder]) {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const lock = path.join(folder, 'migration_lock.toml')
  const migrationsList = {
    baseDir: path.resolve(folder), shadowDbInitScript: '',
    lockfile: { path: 'migration_lock.toml', content: fs.existsSync(lock) ? fs.readFileSync(lock, 'utf8') : null },
    migrationDirectories: entries.map(({ name }) => name).sort().map((name) => migration(folder, name)),
  }
  const schema = await open([['schema.prisma', 'datasource db {\n  provider = "postgresql"\n}\n']])
  const answer = await schema.diagnoseMigrationHistory({
    migrationsList, optInToShadowDatabase: true, filters: nothing,
  })
  return JSON.stringify(answer)
}

const [, , command, ...rest] = process.argv
const commands = { ddl: (files) => diff('empty', files), rest: (files) => diff('database', files), diagnose }
try {
  process.stdout.write(await commands[command](rest), () => process.exit(0))
} catch (error) {
  process.stderr.write(`${error.message ?? error}\n`, () => process.exit(1))
}
