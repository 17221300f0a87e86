//! The stable codes of everything pgfleet may say, and the exit code that each leads to.
//!
//! PF1xx usage, configuration and folder; PF2xx connection and permission; PF3xx a migration or
//! step failed; PF4xx refused; PF5xx the thing asked for is not so; PF9xx a bug of ours.
//! Each code has a page `docs/errors/<code>.md`, which `pgfleet explain` prints.

use std::fmt;

use serde::{Serialize, Serializer};

/// What the process tells its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done = 0,
    /// The thing asked for is not so.
    NotSo = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Could not reach, or not allowed.
    Unreachable = 3,
    /// A migration or step failed; the state is said and journaled.
    Failed = 4,
    /// Refused: consent, unproven, conflict, lock held.
    Refused = 5,
    /// Some targets of a fleet failed.
    SomeFailed = 6,
    /// A bug of ours.
    Bug = 70,
}

macro_rules! codes {
    ($($variant:ident = $code:literal, $title:literal;)+) => {
        /// A stable code; its first digit decides the exit code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)+
        }

        impl Code {
            /// Every code, in numeric order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code as printed: `PF` and three digits.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// A few words that name the problem.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The page that explains it, in Markdown.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $code, ".md"
                    )),)+
                }
            }
        }
    };
}

codes! {
    Usage = "PF100", "the command line does not say what to do";
    ConfigMissing = "PF101", "no configuration and no flags that replace it";
    ConfigInvalid = "PF102", "the configuration file is not valid";
    TargetUnknown = "PF103", "no such target or group in the configuration";
    VariableMissing = "PF104", "an environment variable is not set";
    EnvironmentUnknown = "PF105", "no environment has that name";
    UrlInvalid = "PF106", "the connection URL is not valid";
    ReportUnwritten = "PF107", "the report of a run could not be written";
    FolderMissing = "PF110", "the migration folder does not exist";
    FolderEmpty = "PF111", "the migration folder holds no migrations";
    FormatUnclear = "PF112", "the folder's format could not be told";
    FileUnreadable = "PF113", "a migration file cannot be read";
    FileNotText = "PF114", "a migration file is not text";
    VersionDuplicate = "PF115", "two migrations have the same version";
    VersionGap = "PF116", "a version is missing in a numbered sequence";
    MigrationEmpty = "PF117", "a migration is empty";
    FileUnplaced = "PF118", "a file fits no naming rule of the format";
    CodeOpaque = "PF119", "code of a migration cannot be read as SQL";
    ScriptUnterminated = "PF120", "a quote, comment or body is never closed";
    ScriptMetaRefused = "PF121", "a psql command that cannot be honoured";
    StatementTooLarge = "PF122", "a statement is larger than the limit";
    SyntaxInvalid = "PF123", "a statement that PostgreSQL does not accept";
    ObjectUnknown = "PF124", "an object is used that nothing creates";
    ObjectTooEarly = "PF125", "an object is used before it is created";
    RerunUnsafe = "PF126", "a statement is not safe to run twice";
    HistoryByHand = "PF127", "a migration writes a history table by hand";
    EncodingConverted = "PF128", "a file was converted from another encoding";
    IncludeMissing = "PF129", "an included file does not exist";
    CheckInvalid = "PF130", "a declared check is not valid";
    PlanInvalid = "PF131", "the plan file is not valid";
    VersionUnknown = "PF132", "no migration has that version";
    SnapshotInvalid = "PF133", "the schema snapshot is not valid";
    PrismaSchemaMissing = "PF134", "no schema.prisma was found";
    PrismaSchemaInvalid = "PF135", "schema.prisma is not valid";
    RenameInvalid = "PF136", "a rename cannot be read";
    RenameUnknown = "PF137", "a rename names what is not there";
    RenameAmbiguous = "PF138", "a rename may mean several things";
    RenameConflict = "PF139", "a rename is not possible";
    ServerBinariesMissing = "PF140", "no PostgreSQL server binaries on this machine";
    LintRuleUnknown = "PF142", "no lint rule has that name";
    FormatAssumed = "PF145", "the folder's format was assumed";
    RegistryInvalid = "PF150", "a registry does not say where its targets are";
    EntryInactive = "PF151", "entries of a registry are not active";
    EntryDangling = "PF152", "entries of a registry lead nowhere";
    EntryDuplicate = "PF153", "a group names a database twice";
    GroupEmpty = "PF154", "a group has no targets";
    ChoiceUnmatched = "PF155", "no target has the name that was asked for";
    GroupNotPossible = "PF156", "a command or flag does not go with groups";
    RolloutUnknown = "PF157", "there is no such rollout";
    ClientProgramOld = "PF170", "a client program is older than the server";
    BackupUnknown = "PF171", "there is no such backup";
    BackupUnreadable = "PF172", "a backup cannot be read or written";
    RuleInvalid = "PF173", "a declared rule is not valid";
    SplitInvalid = "PF186", "split.toml is not valid";
    BatchesInvalid = "PF190", "a comment asks for what cannot be made";
    TenancyInvalid = "PF191", "the [tenancy] section is not valid";

    ConnectRefused = "PF201", "nothing listens at that host and port";
    HostUnknown = "PF202", "the host name does not resolve";
    ConnectTimeout = "PF203", "the server did not answer in time";
    AuthenticationFailed = "PF204", "the server refused the user or password";
    DatabaseMissing = "PF205", "the database does not exist";
    TlsFailed = "PF206", "the secure connection could not be made";
    PoolerTransactionMode = "PF207", "the connection goes through a transaction-mode pooler";
    ServerInRecovery = "PF208", "the server is a read-only standby";
    RoleReadOnly = "PF209", "the role may not change the schema";
    ServerUnavailable = "PF210", "the server is starting, stopping or full";
    ConnectionLost = "PF211", "the connection was lost";
    ServerTooOld = "PF212", "the server's version is not supported";
    ProjectPaused = "PF214", "the hosted project does not answer for this tenant";
    HbaRejected = "PF215", "the server's access rules refuse this client";

    StatementFailed = "PF300", "a statement failed";
    ObjectExists = "PF301", "the object exists already";
    ObjectMissing = "PF302", "the object does not exist";
    PermissionDenied = "PF303", "the role lacks a permission";
    SyntaxRejected = "PF304", "the server rejected the syntax";
    LockTimeout = "PF305", "a lock could not be had in time";
    Deadlock = "PF306", "the server chose this transaction to end a deadlock";
    RowsViolate = "PF307", "existing rows break a new rule";
    RowSecurity = "PF308", "row-level security refused a row";
    DependentsExist = "PF309", "other objects depend on it";
    TypeMismatch = "PF310", "types do not fit";
    Cancelled = "PF311", "the run was cancelled";
    OutOfResources = "PF312", "the server ran out of space, memory or connections";
    TransactionForbidden = "PF313", "a statement cannot run in a transaction";
    EnumValueUnsafe = "PF314", "a new enum value is used before it is committed";
    ExtensionMissing = "PF315", "an extension is not available";
    SkippedDifferent = "PF316", "IF NOT EXISTS skipped an object that is different";
    IndexInvalid = "PF317", "an index is left invalid";
    OutcomeUnknown = "PF318", "it cannot be told whether a step happened";
    FunctionBodyInvalid = "PF319", "a function body is not valid";
    SchemaMissed = "PF338", "a change of the schema did not lead where it should";
    SchemaCommandFailed = "PF345", "a command that prints a schema failed";
    DumpFailed = "PF370", "pg_dump or pg_restore failed";
    CleanFailed = "PF371", "rows could not be deleted";
    RowsUnseen = "PF380", "row-level security hides rows from a change in batches";
    RowsUntouched = "PF381", "a batch changed fewer rows than it should";
    SplitMoveFailed = "PF386", "a table could not be moved";
    SplitDiffers = "PF387", "moved rows are not the source's rows";
    TenantFailed = "PF393", "a tenant was not created or dropped, and is as before";

    LockHeld = "PF401", "another run holds the migration lock";
    ConsentMissing = "PF402", "the plan can lose data and consent was not given";
    PlanStale = "PF403", "the target changed since the plan was made";
    HistoryFailed = "PF404", "an earlier migration failed and is not resolved";
    HistoryChanged = "PF405", "an applied migration was edited afterwards";
    HistoryOutOfOrder = "PF406", "a migration is older than the newest applied one";
    HistoryNewerLayout = "PF407", "the history table has a layout that is not known";
    HistoryUntrue = "PF408", "the history claims what the database lacks";
    NoWayBack = "PF409", "a migration has nothing that takes it back";
    HistoryMissingFile = "PF410", "an applied migration has no file";
    DatabaseNotEmpty = "PF411", "the database holds objects that no history explains";
    TargetProtected = "PF412", "the target does not look like a development database";
    InputNeeded = "PF413", "a question needs an answer and nobody can be asked";
    ClockSkew = "PF414", "the clocks of client and server disagree";
    ChangeUnproven = "PF415", "a change does not do what it should on a scratch copy";
    GeneratedUnproven = "PF416", "a generated migration did not do what it should";
    ChangeNotCovered = "PF417", "a difference that a generated migration would not cover";
    RowsChanged = "PF418", "the rows of a COPY changed since they were planned";
    RowsWouldBreak = "PF425", "existing rows would break a pending change";
    RenameFailed = "PF431", "the renames fail on a scratch copy";
    RenameUnanswered = "PF432", "changes look like renames, and nobody can be asked";
    AtomicByTakingBack = "PF436", "a group is migrated all or none by taking back";
    GroupBehind = "PF437", "a group that comes first is not done";
    GenerateUnfinished = "PF441", "a killed run left a new migration half written";
    GenerateConflict = "PF442", "a half written migration cannot be finished";
    RehearsalFailed = "PF450", "the rehearsal failed, so nothing was applied";
    RollbackUnproven = "PF451", "a way back was not proven";
    RolloutUnfinished = "PF460", "another rollout of the group is not finished";
    RolloutChanged = "PF461", "the folder is not the one that the rollout began with";
    RolloutPaused = "PF462", "a rollout waits for a person";
    TakeBackImpossible = "PF463", "a target cannot be taken back";
    BackupDamaged = "PF470", "a backup's files are not as they were written";
    BackupExists = "PF471", "the name of a backup or its restore is taken";
    DiskSpaceLow = "PF472", "the disk may be too small";
    RolesMissing = "PF473", "roles that a backup needs are not there";
    CleanBlocked = "PF474", "a foreign key forbids what a rule would delete";
    BackupUnproven = "PF475", "a backup is not proven or not fresh";
    SplitRefused = "PF486", "the split has errors to settle first";
    SplitOtherRun = "PF487", "another split of this source is under way";
    SplitRollbackUnsafe = "PF488", "the split cannot be taken back without loss";
    TenancyRefused = "PF490", "a table cannot get its tenant column as declared";
    AtomicImpossible = "PF491", "a group cannot be migrated all or none";
    AtomicUnsettled = "PF492", "an all-or-none run is not settled";
    TenantRefused = "PF493", "a tenant cannot be created or dropped";
    TenantUnfinished = "PF494", "a tenant is half created or half dropped";
    TenantInUse = "PF496", "what a tenant has is in use";

    CheckFailed = "PF501", "a check did not find what was expected";
    ProbeFailed = "PF502", "an HTTP probe did not get what was expected";
    MigrationsPending = "PF503", "migrations are pending";
    PreflightFailed = "PF504", "the folder has errors";
    DoctorFailed = "PF505", "the set-up has problems";
    TablesMissing = "PF506", "the database lacks what the code expects";
    LintFinding = "PF520", "a lint rule found something";
    LintIgnoreUnused = "PF521", "a lint comment ignores nothing";
    WayBackBroken = "PF530", "a down part does not take its migration back";
    TargetSkipped = "PF540", "targets were not tried";
    RolloutHalted = "PF541", "a rollout stopped";
    BackupDiffers = "PF550", "a restored backup is not what was backed up";
    AuditFinding = "PF551", "the audit found something";
    ReferenceBroken = "PF566", "rows of one database name rows that another does not have";
    TenantsReachable = "PF570", "an ordinary role reaches rows of other tenants";
    QueriesUnrestricted = "PF571", "statements touch tenant tables without the tenant column";

    Bug = "PF900", "a bug in pgfleet";
}

impl Code {
    /// The exit code of a command that ends with this code.
    pub fn exit(self) -> ExitCode {
        match self.id().as_bytes()[2] {
            b'1' => ExitCode::Usage,
            b'2' => ExitCode::Unreachable,
            b'3' => ExitCode::Failed,
            b'4' => ExitCode::Refused,
            b'5' => ExitCode::NotSo,
            _ => ExitCode::Bug,
        }
    }

    /// The code with this text, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.id().eq_ignore_ascii_case(text.trim()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SECTIONS: &[&str] = &[
        "\n## What it means\n",
        "\n## What you see\n",
        "\n## Why it happens\n",
        "\n## What to do\n",
    ];

    #[test]
    fn every_code_has_a_page_with_all_sections() {
        for code in Code::ALL {
            let page = code.page();
            let heading = format!("# {code}: {}\n", code.title());
            assert!(page.starts_with(&heading), "{code}: the page must begin with {heading}");
            let places: Vec<_> = SECTIONS.iter().map(|section| page.find(section)).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{code}: {places:?}");
            assert!(page.contains(&format!("[{code}]: ")), "{code}: an example message is missing");
            assert!((10..=40).contains(&page.lines().count()), "{code}: 10 to 40 lines");
        }
    }

    #[test]
    fn every_page_belongs_to_a_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let pages: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
        assert_eq!(pages, codes);
    }

    #[test]
    fn codes_are_read_back_and_lead_to_their_exit_code() {
        for &code in Code::ALL {
            assert_eq!(Code::parse(&code.id().to_lowercase()), Some(code));
        }
        assert_eq!(Code::LockHeld.exit(), ExitCode::Refused);
        assert_eq!(Code::UrlInvalid.exit(), ExitCode::Usage);
        assert_eq!(Code::ConnectRefused.exit(), ExitCode::Unreachable);
        assert_eq!(Code::Bug.exit(), ExitCode::Bug);
    }
}
