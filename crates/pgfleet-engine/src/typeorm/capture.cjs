// Runs one migration with the team's own TypeORM on a scratch database and tells the SQL it sends.
//
// Standard input: the request as JSON. Standard output: the request's token, then the answer as
// JSON. What the migration prints itself may stand before the token.
//
// Invariant: every statement that the migration sends is in the answer, or there is no answer but
// a refusal. A refusal is kept when it is thrown, so that code which catches it changes nothing.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')
const { fileURLToPath, pathToFileURL } = require('node:url')

const request = JSON.parse(fs.readFileSync(0, 'utf8'))
const own = createRequire(request.file)
const typescript = /\.[cm]?ts$/.test(request.file)

Error.stackTraceLimit = 100

class Refusal extends Error {
  constructor(kind, message, place) {
    super(message)
    this.kind = kind
    this.place = place
  }
}

/** What is known of the run so far. */
const state = { running: false, statements: [], commits: false, refusal: undefined }

function refuse(kind, message, place) {
  const refusal = new Refusal(kind, message, place)
  state.refusal ??= refusal
  throw refusal
}

// ---- Places ----------------------------------------------------------------------------------

const FRAME = /^\s+at (?:async )?(?:.*? \()?((?:file:\/\/|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/

/** The frames of a stack that have a file; this script has none. */
function framesOf(stack) {
  const found = String(stack).split('\n').map((line) => FRAME.exec(line)).filter(Boolean)
  return found.map(([, file, line, column]) => ({
    file: file.startsWith('file://') ? fileURLToPath(file) : file,
    line: Number(line),
    column: Number(column),
  }))
}

/** Where the team's code stands: in the migration's folder, else outside of packages. */
function placeOf(frames) {
  const inside = (frame) => !path.relative(request.folder, frame.file).startsWith('..')
  const outside = (frame) => !frame.file.includes(`${path.sep}node_modules${path.sep}`)
  return frames.find(inside) ?? frames.filter((frame) => path.isAbsolute(frame.file)).find(outside)
}

/** TypeORM asks the catalog for its own ends. */
const asksForItself = (frames) => /(Postgres|Base)QueryRunner\.[cm]?[jt]s$/.test(frames[0]?.file ?? '')

// ---- Recording -------------------------------------------------------------------------------

const READING = new Set(['select', 'with', 'table', 'values', 'show', 'explain', 'fetch'])
const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'savepoint', 'release'])

/** Differs between the scratch database and the target without any table being read. */
const ELSEWHERE = /\b(nextval|currval|lastval|current_user|session_user|current_role|current_database|current_catalog|pg_sequences|pg_stat\w*)\b/i

const SCANS = 'SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::text AS scans FROM pg_catalog.pg_stat_xact_user_tables'

function firstWord(sql) {
  const text = sql.replace(/^(\s|\(|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, '')
  return /^\w*/.exec(text)[0].toLowerCase()
}

/** Puts the recorder between the migration and every query runner. */
function record(prototype, prepareValue) {
  const send = prototype.query
  prototype.query = function (sql, parameters, structured) {
    if (!state.running) return send.call(this, sql, parameters, structured)
    const frames = framesOf(new Error().stack)
    const word = firstWord(String(sql))
    const sent = { runner: this, send, sql, parameters, structured, place: placeOf(frames) }
    if (CONTROL.has(word)) return control(sent, word)
    const internal = asksForItself(frames)
    if (READING.has(word) && internal) return read(sent, internal)
    const values = (parameters ?? []).map((value) => text(prepareValue(value)))
    state.statements.push({ sql: String(sql), parameters: values, place: sent.place ?? null })
    return READING.has(word) ? read(sent, internal) : write(sent)
  }
  prototype.stream = () => refuse('rows', 'it streams rows', placeOf(framesOf(new Error().stack)))
}

/** A parameter's text as the driver sends it; bytes as bytea is written. */
function text(value) {
  if (value === null || value === undefined) return null
  return Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : String(value)
}

function control(sent, word) {
  if (word === 'commit' || word === 'end') state.commits = true
  if (word === 'rollback' || word === 'abort') refuse('rollback', 'it rolls back', sent.place)
  return pass(sent)
}

async function pass({ runner, send, sql, parameters, structured, place }) {
  try {
    return await send.call(runner, sql, parameters, structured)
  } catch (error) {
    state.refusal ??= new Refusal('caught', `a statement failed: ${error.message}`, place)
    throw error
  }
}

async function write(sent) {
  return guarded(await pass(sent), sent)
}

/** A query's result may be looked at when it does not depend on rows of the team's tables. */
async function read(sent, internal) {
  const { runner, send, sql } = sent
  const alone = !runner.isTransactionActive
  if (alone) await send.call(runner, 'BEGIN')
  try {
    const before = await scans(runner, send)
    const result = await pass(sent)
    const depends = (await scans(runner, send)) !== before
    if (depends && internal) refuse('rows', 'TypeORM reads rows of a table for it', sent.place)
    return depends || (!internal && ELSEWHERE.test(sql)) ? guarded(result, sent) : result
  } finally {
    if (alone) await send.call(runner, 'COMMIT')
  }
}

async function scans(runner, send) {
  return (await send.call(runner, SCANS))[0].scans
}

/** The result, which says so when the code looks into it. */
function guarded(result, { structured, place }) {
  if (result === null || typeof result !== 'object') return result
  if (!structured) return watched(result, place)
  result.raw = watched(result.raw, place)
  result.records = watched(result.records, place)
  return result
}

function watched(rows, place) {
  if (rows === null || typeof rows !== 'object') return rows
  const looked = () => {
    const here = placeOf(framesOf(new Error().stack)) ?? place
    refuse('rows', 'it looks at what a statement returned', here)
  }
  const harmless = (key) => key === 'then' || (typeof key === 'symbol' && key !== Symbol.iterator)
  const get = (target, key) => (harmless(key) ? Reflect.get(target, key) : looked())
  return new Proxy(rows, { get, has: looked, ownKeys: looked })
}

// ---- Loading ---------------------------------------------------------------------------------

/** Ways to load TypeScript, as a project may have them. */
const LOADERS = [
  ['tsx', () => {}], // Node was started with it
  ['ts-node', () => {
    own('ts-node').register({ transpileOnly: true, compilerOptions: { module: 'commonjs' } })
    optional('tsconfig-paths/register')
  }],
  ['@swc-node/register', () => own('@swc-node/register')],
  ['typescript', () => {
    transpileWith(own('typescript'))
    optional('tsconfig-paths/register')
  }],
]

function has(name) {
  try {
    return Boolean(own.resolve(name))
  } catch {
    return false
  }
}

function optional(name) {
  if (has(name)) own(name)
}

function transpileWith(ts) {
  process.setSourceMapsEnabled(true)
  const compilerOptions = {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
    esModuleInterop: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    inlineSourceMap: true,
    inlineSources: true,
  }
  const compile = (module, fileName) => {
    const source = fs.readFileSync(fileName, 'utf8')
    module._compile(ts.transpileModule(source, { compilerOptions, fileName }).outputText, fileName)
  }
  for (const ending of ['.ts', '.mts', '.cts']) require.extensions[ending] = compile
}

function registerLoader() {
  const loader = LOADERS.find(([name]) => has(name))
  if (loader) return loader[1]()
  if (typescript && !process.features.typescript) {
    throw new Refusal('loader', 'nothing that loads TypeScript is installed')
  }
}

async function load(file) {
  try {
    return own(file)
  } catch (error) {
    if (!/^ERR_REQUIRE_(ESM|ASYNC_MODULE)$/.test(error.code)) throw error
    return import(pathToFileURL(file))
  }
}

/** The class with the migration's name, among what the file exports, as TypeORM finds it. */
async function findClass() {
  const exported = await load(request.file)
  const values = [exported, ...Object.values(exported), ...Object.values(exported.default ?? {})]
  const classes = values.filter((value) => typeof value === 'function' && value.prototype?.up)
  const found = classes.find((value) => (new value().name ?? value.name) === request.class)
  if (!found) throw new Refusal('class', `the file exports no class ${request.class}`)
  return found
}

// ---- Running ---------------------------------------------------------------------------------

/** A migration may open connections only to the scratch database. */
function guardConnections(pg) {
  const connect = pg.Client.prototype.connect
  pg.Client.prototype.connect = function (...rest) {
    if (this.database !== request.connection.database) {
      refuse('connection', 'it opens a connection of its own', placeOf(framesOf(new Error().stack)))
    }
    return connect.apply(this, rest)
  }
}

async function connect(typeorm, pg) {
  const { ssl, options, ...connection } = request.connection
  const { Client, Pool, defaults, types } = pg
  const Source = typeorm.DataSource ?? typeorm.Connection
  for (const [attempt, encrypted] of ssl.entries()) {
    const source = new Source({
      type: 'postgres', ...connection, ssl: encrypted, extra: { options }, entities: [],
      logging: false, installExtensions: false, driver: { Client, Pool, defaults, types },
    })
    try {
      return await (source.initialize ?? source.connect).call(source)
    } catch (error) {
      const last = attempt + 1 === ssl.length
      if (last || !/does not support SSL/.test(error.message)) throw error
    }
  }
}

async function runOnce(Class, runner, transactional) {
  Object.assign(state, { statements: [], commits: false, refusal: undefined })
  if (transactional) await runner.startTransaction()
  try {
    state.running = true
    await new Class()[request.method](runner)
  } catch (error) {
    state.running = false
    if (runner.isTransactionActive) await runner.rollbackTransaction()
    throw error
  } finally {
    state.running = false
  }
  if (state.refusal) throw state.refusal
  if (runner.isTransactionActive) await runner.commitTransaction()
}

/** As TypeORM does it: in a transaction, unless a statement or the class will not have one. */
async function run(Class, runner) {
  try {
    await runOnce(Class, runner, request.transaction)
  } catch (error) {
    if (error.code !== '25001' || !request.transaction) throw error
    await runOnce(Class, runner, false)
  }
}

async function capture() {
  registerLoader()
  const typeorm = own('typeorm')
  const driver = createRequire(own.resolve('typeorm'))
  const pg = driver('pg')
  guardConnections(pg)
  const Class = await findClass()
  const source = await connect(typeorm, pg)
  const runner = source.createQueryRunner()
  await runner.connect()
  record(Object.getPrototypeOf(runner), driver('pg/lib/utils').prepareValue)
  await run(Class, runner)
  return { typeorm: versionOf(own.resolve('typeorm')), statements: state.statements, commits: state.commits }
}

function versionOf(entry) {
  const description = path.join(path.dirname(entry), 'package.json')
  return JSON.parse(fs.readFileSync(description, 'utf8')).version
}

function failure(error) {
  const { kind, message, place } = kept(error)
  const frames = framesOf(error?.stack)
  return { failure: { kind, message, place: place ?? placeOf(frames) ?? null } }
}

/** What is to be told of an error: a refusal that was kept, unless the failed statement is it. */
function kept(error) {
  const { refusal } = state
  if (refusal && refusal.kind !== 'caught') return refusal
  if (error instanceof Refusal) return error
  return { kind: 'threw', message: String(error?.message ?? error) }
}

function tell(answer) {
  process.stdout.write(`${request.token}${JSON.stringify(answer)}`, () => process.exit(0))
}

process.on('uncaughtException', (error) => tell(failure(error)))
capture().then(tell, (error) => tell(failure(error)))
