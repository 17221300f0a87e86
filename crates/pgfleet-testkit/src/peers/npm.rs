//! Peers from npm: dbmate, Supabase CLI, Prisma, TypeORM, Drizzle Kit.
//!
//! Every function runs the tool in `project` with the database `url` and returns what it said.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use super::{peer, without_tls};
use crate::{ProgramOutput, tools};

/// The versions that the tests agree with.
const PACKAGES: [&str; 8] = [
    "dbmate@2.36.0",
    "supabase@3.1.0",
    "prisma@6.19.3",
    "@prisma/adapter-pg@6.19.3",
    "typeorm@1.1.1",
    "pg@8.23.1",
    "drizzle-kit@0.31.11",
    "drizzle-orm@0.45.4",
];

/// Prisma reaches the server through its JavaScript adapter, as its native engine is a download.
const PRISMA_CONFIG: &str = r"import { PrismaPg } from '@prisma/adapter-pg'
export default {
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  adapter: async () => new PrismaPg({
    connectionString: process.env.DATABASE_URL, allowExitOnIdle: true, idleTimeoutMillis: 200,
  }),
}
";

/// Prisma's wait for its advisory lock leaves a timer of 10 s behind that holds up its exit.
const LONG_TIMERS_DO_NOT_HOLD_UP_THE_EXIT: &str = r"const { setTimeout: real } = globalThis
globalThis.setTimeout = (run, ms, ...rest) => {
  const timer = real(run, ms, ...rest)
  if (ms >= 5000) timer.unref()
  return timer
}
";

const TYPEORM_DATA_SOURCE: &str = r"import { DataSource } from 'typeorm'
export default new DataSource({
  type: 'postgres', url: process.env.DATABASE_URL, migrations: ['migrations/*.{ts,js}'],
})
";

const DRIZZLE_CONFIG: &str = r"export default {
  dialect: 'postgresql', out: './drizzle', dbCredentials: { url: process.env.DATABASE_URL },
}
";

/// The folder with all npm peers, installed if need be.
pub fn install() -> PathBuf {
    let contents = format!("{}\nadapter sends scripts whole", PACKAGES.join("\n"));
    tools::installed(&tools::tools_dir(), "npm", &contents, |dir| {
        tools::npm_install(dir, &PACKAGES);
        patch_prisma_adapter(dir);
        write(dir, "exit.cjs", LONG_TIMERS_DO_NOT_HOLD_UP_THE_EXIT);
        write(dir, "no-engine", "#!/bin/sh\nexit 0\n");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(dir.join("no-engine"), executable).expect("make no-engine executable");
    })
}

/// dbmate's program, to be run without Node.
pub fn dbmate_program() -> PathBuf {
    program_of_platform("@dbmate", "", "dbmate")
}

/// dbmate on `db/migrations`, as `dbmate --no-dump-schema ARGS`.
pub fn dbmate(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&dbmate_program(), project, &without_tls(url));
    ProgramOutput::of(command.arg("--no-dump-schema").args(args))
}

/// The Supabase CLI's program, to be run without Node.
pub fn supabase_program() -> PathBuf {
    program_of_platform("@supabase", "cli-", "supabase")
}

/// The Supabase CLI on `supabase/migrations`, as `supabase ARGS --db-url URL`: `db push --yes` or
/// `migration list`.
pub fn supabase(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&supabase_program(), project, url);
    command.env("SUPABASE_TELEMETRY_DISABLED", "1");
    ProgramOutput::of(command.args(args).args(["--db-url", url]))
}

/// Prisma on `prisma/schema.prisma` and `prisma/migrations`, as `prisma ARGS`: `migrate deploy`,
/// `migrate status`, `migrate resolve`. Writes `prisma.config.ts` into the project.
pub fn prisma(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let npm = install();
    link_modules(&npm, project);
    write(project, "prisma.config.ts", PRISMA_CONFIG);
    let mut command = peer(Path::new("node"), project, url);
    command.env("CHECKPOINT_DISABLE", "1").env("PRISMA_HIDE_UPDATE_MESSAGE", "1");
    // Named so that it does not download them; the adapter does the work.
    command.env("PRISMA_QUERY_ENGINE_LIBRARY", npm.join("no-engine"));
    command.env("PRISMA_SCHEMA_ENGINE_BINARY", npm.join("no-engine"));
    command.arg("-r").arg(npm.join("exit.cjs")).arg("node_modules/prisma/build/index.js");
    ProgramOutput::of(command.args(args))
}

/// TypeORM on `migrations/*.ts`, as `typeorm ARGS -d data-source.ts`: `migration:run`,
/// `migration:show`, `migration:revert`. Writes `data-source.ts` into the project unless there is
/// one.
pub fn typeorm(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    link_modules(&install(), project);
    if !project.join("data-source.ts").exists() {
        write(project, "data-source.ts", TYPEORM_DATA_SOURCE);
    }
    let mut command = peer(Path::new("node"), project, url);
    command.args(["--import", "tsx", "node_modules/typeorm/cli.js"]);
    ProgramOutput::of(command.args(args).args(["-d", "data-source.ts"]))
}

/// Drizzle Kit on `drizzle/`, as `drizzle-kit ARGS`: `migrate`. Writes `drizzle.config.ts` into the
/// project unless there is one.
pub fn drizzle(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    link_modules(&install(), project);
    if !project.join("drizzle.config.ts").exists() {
        write(project, "drizzle.config.ts", DRIZZLE_CONFIG);
    }
    let mut command: Command = peer(Path::new("node"), project, url);
    ProgramOutput::of(command.arg("node_modules/drizzle-kit/bin.cjs").args(args))
}

/// `node_modules/SCOPE/PREFIX*/bin/NAME`: the one package that npm took for this platform.
fn program_of_platform(scope: &str, prefix: &str, name: &str) -> PathBuf {
    let scope = install().join("node_modules").join(scope);
    let packages = fs::read_dir(&scope).unwrap_or_else(|error| panic!("{scope:?}: {error}"));
    let mut programs = packages
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join("bin").join(name))
        .filter(|path| path.is_file());
    programs.next().unwrap_or_else(|| panic!("npm has no {name} for this platform"))
}

/// adapter-pg refuses types that Prisma's own catalog queries return: OID 1003 is `name[]`. And it
/// cuts scripts at every semicolon, bodies of functions included, where the native engine sends them
/// whole.
fn patch_prisma_adapter(dir: &Path) {
    let refusal = "throw new UnsupportedNativeDataType(fieldTypeId);";
    for (file, prefix) in [("index.js", "import_driver_adapter_utils."), ("index.mjs", "")] {
        let path = dir.join("node_modules/@prisma/adapter-pg/dist").join(file);
        let text = fs::read_to_string(&path).expect("read Prisma's adapter");
        assert!(text.contains(refusal), "{} is not as expected", path.display());
        let types = format!("{prefix}ColumnTypeEnum");
        let accept = format!("return fieldTypeId === 1003 ? {types}.TextArray : {types}.Text;");
        let whole = text.replace(refusal, &accept).replace("= script.split(\";\")", "= [script]");
        assert!(whole.contains("= [script]"), "{} is not as expected", path.display());
        fs::write(&path, whole).expect("patch Prisma's adapter");
    }
}

fn link_modules(npm: &Path, project: &Path) {
    match symlink(npm.join("node_modules"), project.join("node_modules")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => panic!("{error}"),
        _ => {}
    }
}

fn write(dir: &Path, name: &str, content: &str) {
    fs::write(dir.join(name), content).unwrap_or_else(|error| panic!("write {name}: {error}"));
}
