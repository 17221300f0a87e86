//! From rows to objects.

use std::collections::HashMap;

use pgfleet_core::schema::{
    Body, Column, ColumnDetails, Constraint, ConstraintKind, ForeignOption, ForeignPart, Generated,
    Grant, Identity, Index, Kind, Object, ObjectId, PUBLIC, Persistence, ReplicaIdentity, Schema,
    Sequence, SequenceOwner, Table, read_acl,
};

use pgfleet_sql::quote_ident;

use super::Query;
use super::link::{Address, Dependency, Linker};
use super::rows::Row;

/// OIDs of the catalogs that rows of their own kind do not name
/// (src/include/catalog/pg_class.h, pg_constraint.h; fixed in every version).
const PG_CLASS: u32 = 1259;
const PG_CONSTRAINT: u32 = 2606;

/// Takes rows in the order of the queries.
pub(super) struct Builder {
    server_version_num: u32,
    linker: Linker,
    /// Columns of relations, whose rows come first.
    columns: HashMap<u32, Vec<Numbered>>,
    /// The relation that the last of them belongs to.
    relation: u32,
    /// Sequences of identity columns, by table and column number.
    identities: HashMap<(u32, i16), Behind>,
    /// Sequences that a column owns, with table and column number.
    owned: Vec<(usize, u32, i16)>,
    /// Indexes of partitioned tables: what they are but for their names, number, position.
    partitioned: Vec<(String, u32, usize)>,
    unmodelled: Vec<String>,
}

/// The sequence behind an identity column.
struct Behind {
    name: String,
    sequence: Sequence,
    grants: Vec<Grant>,
}

/// A column with its number.
struct Numbered {
    number: i16,
    identity: char,
    column: Column,
}

impl Builder {
    pub(super) fn new(server_version_num: u32) -> Self {
        Self {
            server_version_num,
            linker: Linker::default(),
            columns: HashMap::new(),
            relation: 0,
            identities: HashMap::new(),
            owned: Vec::new(),
            partitioned: Vec::new(),
            unmodelled: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, query: Query, row: &Row<'_>) -> Result<(), String> {
        match query {
            Query::Columns => self.column(row),
            Query::Sequences => self.sequence(row),
            Query::Tables => self.table(row),
            Query::Constraints => self.constraint(row),
            Query::Indexes => self.index(row),
            Query::Objects => self.object(row),
            Query::Comments => self.comment(row),
            Query::Dependencies => self.dependency(row),
            Query::Unmodelled => {
                self.unmodelled.push(row.owned(0));
                Ok(())
            }
        }
    }

    fn column(&mut self, row: &Row<'_>) -> Result<(), String> {
        let details = ColumnDetails {
            collation: row.optional(8),
            storage: row.get(9).map(storage_name),
            compression: match row.letter(10) {
                'p' => Some("pglz".to_owned()),
                'l' => Some("lz4".to_owned()),
                _ => None,
            },
            statistics: row.get(11).map(|_| row.number(11)).transpose()?,
            options: row.sorted(12)?,
            foreign_options: foreign_options(row, 14)?,
            // The owner is told by the table's row.
            grants: Vec::new(),
        };
        let column = Column {
            name: row.owned(2),
            type_name: row.owned(3),
            not_null: row.flag(4),
            default: row.optional(5),
            generated: match row.letter(6) {
                's' => Some(Generated::Stored),
                'v' => Some(Generated::Virtual),
                _ => None,
            },
            identity: None,
            inherited: row.flag(13),
            details: details.into(),
        };
        let acl: Vec<String> = row.json(15)?;
        let number = row.number(1)?;
        if !acl.is_empty() {
            self.linker.column_acls.push((row.number(0)?, column.name.clone(), acl));
        }
        let numbered = Numbered { number, identity: row.letter(7), column };
        let relation = row.number(0)?;
        if self.relation != relation
            && let Some(done) = self.columns.get_mut(&self.relation)
        {
            // No more of these come.
            done.shrink_to_fit();
        }
        self.relation = relation;
        self.columns.entry(relation).or_default().push(numbered);
        Ok(())
    }

    fn sequence(&mut self, row: &Row<'_>) -> Result<(), String> {
        let sequence = Sequence {
            type_name: row.owned(3),
            start: row.number(4)?,
            increment: row.number(5)?,
            min: row.number(6)?,
            max: row.number(7)?,
            cache: row.number(8)?,
            cycle: row.flag(9),
            unlogged: row.flag(10),
            owned_by: None,
        };
        let id = ObjectId::new(Kind::Sequence, row.text(1), row.text(2));
        let owner = match row.letter(11) {
            ' ' => None,
            _ => Some((row.number(12)?, row.number(13)?)),
        };
        let grants = read_acl(&row.json::<Vec<String>>(15)?, row.text(14));
        if let ('i', Some(owner)) = (row.letter(11), owner) {
            self.identities.insert(owner, Behind { name: id.sql_name(), sequence, grants });
            return Ok(());
        }
        let at = self.add(PG_CLASS, row.number(0)?, id, Body::Sequence(sequence), grants);
        self.owned.extend(owner.map(|(table, column)| (at, table, column)));
        Ok(())
    }

    fn add(&mut self, class: u32, oid: u32, id: ObjectId, body: Body, grants: Vec<Grant>) -> usize {
        let object = Object { id, body, comment: None, part_comments: Default::default(), grants };
        self.linker.add(Address { class, oid }, object)
    }

    fn table(&mut self, row: &Row<'_>) -> Result<(), String> {
        let oid = row.number(0)?;
        let table = Table {
            columns: self.columns_of(oid),
            persistence: match row.letter(4) {
                'u' => Persistence::Unlogged,
                _ => Persistence::Permanent,
            },
            partition_key: row.optional(5),
            partition_bound: row.optional(6),
            parents: row.json(7)?,
            options: table_options(row)?,
            row_security: row.flag(10),
            forces_row_security: row.flag(11),
            replica_identity: match row.letter(12) {
                // A foreign table has none, and none can be given to it.
                _ if row.letter(1) == 'f' => ReplicaIdentity::Default,
                'n' => ReplicaIdentity::Nothing,
                'f' => ReplicaIdentity::Full,
                'i' => ReplicaIdentity::Index(row.owned(13)),
                _ => ReplicaIdentity::Default,
            },
            foreign: match row.get(14) {
                Some(server) => Some(ForeignPart {
                    server: server.to_owned(),
                    options: foreign_options(row, 15)?,
                }),
                None => None,
            },
            of_type: row.optional(16),
            cluster_on: row.optional(19),
        };
        let kind = if row.letter(1) == 'f' { Kind::ForeignTable } else { Kind::Table };
        let owner = row.text(17);
        self.linker.owners.insert(oid, owner.to_owned());
        let grants = read_acl(&row.json::<Vec<String>>(18)?, owner);
        let id = ObjectId::new(kind, row.text(2), row.text(3));
        self.add(PG_CLASS, oid, id, Body::Table(Box::new(table)), grants);
        Ok(())
    }

    fn columns_of(&mut self, oid: u32) -> Vec<Column> {
        let numbered = self.columns.remove(&oid).unwrap_or_default();
        let names = numbered.iter().map(|one| (one.number, one.column.name.as_str().into()));
        self.linker.column_names.insert(oid, names.collect());
        let identities = &mut self.identities;
        let finish = |one: Numbered| {
            let identity = identities.remove(&(oid, one.number));
            let always = one.identity == 'a';
            let identity = identity.map(|Behind { name: sequence_name, sequence, grants }| {
                Box::new(Identity { always, sequence_name, sequence, grants })
            });
            Column { identity, ..one.column }
        };
        // As large as it must be: collected in place, it would keep the room of what it comes from.
        let mut columns = Vec::with_capacity(numbered.len());
        columns.extend(numbered.into_iter().map(finish));
        columns
    }

    fn constraint(&mut self, row: &Row<'_>) -> Result<(), String> {
        let kind = match row.letter(4) {
            'p' => ConstraintKind::PrimaryKey,
            'u' => ConstraintKind::Unique,
            'x' => ConstraintKind::Exclusion,
            'f' => ConstraintKind::ForeignKey,
            _ => ConstraintKind::Check,
        };
        let constraint = Constraint {
            kind,
            definition: row.owned(5),
            validated: row.flag(6),
            inherited: row.flag(7),
            parent_index: row.optional(8),
            index_options: row.sorted(9)?,
            references: row.optional(10),
        };
        let id = ObjectId {
            table: row.owned(2),
            ..ObjectId::new(Kind::Constraint, row.text(1), row.text(3))
        };
        self.add(PG_CONSTRAINT, row.number(0)?, id, Body::Constraint(constraint), Vec::new());
        Ok(())
    }

    fn index(&mut self, row: &Row<'_>) -> Result<(), String> {
        let index = Index {
            table: row.owned(3),
            definition: row.owned(4),
            unique: row.flag(5),
            valid: row.flag(6),
            parent_index: row.optional(7),
            partitioned: row.flag(8),
            twin: 0,
            statistics: row.json(9)?,
        };
        let id = ObjectId::new(Kind::Index, row.text(1), row.text(2));
        let oid = row.number(0)?;
        let shape = index.partitioned.then(|| {
            let nameless = index.definition.replacen(&quote_ident(&id.name), "", 1);
            (nameless, oid)
        });
        let at = self.add(PG_CLASS, oid, id, Body::Index(index), Vec::new());
        self.partitioned.extend(shape.map(|(nameless, oid)| (nameless, oid, at)));
        Ok(())
    }

    fn object(&mut self, row: &Row<'_>) -> Result<(), String> {
        let oid = row.number(1)?;
        let text = row.text(8);
        let mut body: Body =
            serde_json::from_str(text).map_err(|error| format!("{error} in {text}"))?;
        let mut grants = read_acl(&row.json::<Vec<String>>(7)?, row.text(6));
        if let Body::View(view) | Body::MaterializedView(view) = &mut body {
            view.columns = self.columns_of(oid);
            self.linker.owners.insert(oid, row.owned(6));
        }
        if let Body::DefaultPrivileges(privileges) = &mut body {
            privileges.grants = std::mem::take(&mut grants);
            if privileges.grants == privileges.builtin() {
                // What is left is the owner's own, which does not count.
                return Ok(());
            }
        }
        let id = ObjectId {
            kind: kind_of(&body),
            schema: row.owned(2),
            table: row.owned(4),
            name: row.owned(3),
            signature: row.owned(5),
        };
        if body == Body::Schema && id.name == "public" && self.server_version_num < 150_000 {
            // Until PostgreSQL 15 everybody may create in a new database's public schema.
            grants.retain(|grant| grant.role != PUBLIC || grant.privilege != "CREATE");
        }
        self.add(row.number(0)?, oid, id, body, grants);
        Ok(())
    }

    fn comment(&mut self, row: &Row<'_>) -> Result<(), String> {
        let address = Address { class: row.number(0)?, oid: row.number(1)? };
        self.linker.comments.push((address, row.optional(2), row.owned(3)));
        Ok(())
    }

    fn dependency(&mut self, row: &Row<'_>) -> Result<(), String> {
        self.linker.depend(&Dependency {
            from: Address { class: row.number(0)?, oid: row.number(1)? },
            from_column: row.number(2)?,
            to: Address { class: row.number(3)?, oid: row.number(4)? },
            to_column: row.number(5)?,
            strength: row.letter(6),
        });
        Ok(())
    }

    pub(super) fn finish(mut self) -> Schema {
        for (at, table, column) in std::mem::take(&mut self.owned) {
            let owner = self.linker.owner(table, column);
            self.linker.set_owner(at, owner);
        }
        // The server joins those of a new partition to them in the order of their numbers.
        self.partitioned.sort_unstable();
        for like in self.partitioned.chunk_by(|a, b| a.0 == b.0).filter(|like| like.len() > 1) {
            (1..).zip(like).for_each(|(twin, (.., at))| self.linker.set_twin(*at, twin));
        }
        let mut schema = self.linker.finish();
        schema.server_version_num = self.server_version_num;
        self.unmodelled.sort();
        schema.unmodelled = self.unmodelled;
        schema
    }
}

impl Linker {
    fn owner(&self, table: u32, column: i16) -> Option<SequenceOwner> {
        let id = &self.object(Address { class: PG_CLASS, oid: table })?.id;
        let column = self.column_name(table, column)?;
        Some(SequenceOwner {
            schema: id.schema.clone(),
            table: id.name.clone(),
            column: column.into(),
        })
    }
}

fn table_options(row: &Row<'_>) -> Result<Vec<String>, String> {
    let mut options = row.sorted(8)?;
    let toast = row.sorted(9)?;
    options.extend(toast.into_iter().map(|option| format!("toast.{option}")));
    Ok(options)
}

fn foreign_options(row: &Row<'_>, at: usize) -> Result<Vec<ForeignOption>, String> {
    let texts = row.sorted(at)?;
    let option = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        ForeignOption { name: name.to_owned(), value: value.to_owned() }
    };
    Ok(texts.iter().map(option).collect())
}

fn storage_name(letter: &str) -> String {
    let name = match letter {
        "p" => "PLAIN",
        "e" => "EXTERNAL",
        "m" => "MAIN",
        _ => "EXTENDED",
    };
    name.to_owned()
}

fn kind_of(body: &Body) -> Kind {
    match body {
        Body::Schema => Kind::Schema,
        Body::Extension(_) => Kind::Extension,
        Body::Collation(_) => Kind::Collation,
        Body::Enum(_) => Kind::Enum,
        Body::Domain(_) => Kind::Domain,
        Body::Composite(_) => Kind::Composite,
        Body::Range(_) => Kind::Range,
        Body::Sequence(_) => Kind::Sequence,
        Body::Table(table) if table.foreign.is_some() => Kind::ForeignTable,
        Body::Table(_) => Kind::Table,
        Body::Constraint(_) => Kind::Constraint,
        Body::Index(_) => Kind::Index,
        Body::View(_) => Kind::View,
        Body::MaterializedView(_) => Kind::MaterializedView,
        Body::Routine(routine) if routine.procedure => Kind::Procedure,
        Body::Routine(_) => Kind::Function,
        Body::Aggregate(_) => Kind::Aggregate,
        Body::Operator(_) => Kind::Operator,
        Body::OperatorFamily(_) => Kind::OperatorFamily,
        Body::OperatorClass(_) => Kind::OperatorClass,
        Body::Cast(_) => Kind::Cast,
        Body::Trigger(_) => Kind::Trigger,
        Body::EventTrigger(_) => Kind::EventTrigger,
        Body::Rule(_) => Kind::Rule,
        Body::Policy(_) => Kind::Policy,
        Body::Statistics(_) => Kind::Statistics,
        Body::Publication(_) => Kind::Publication,
        Body::ForeignDataWrapper(_) => Kind::ForeignDataWrapper,
        Body::ForeignServer(_) => Kind::ForeignServer,
        Body::UserMapping(_) => Kind::UserMapping,
        Body::TextSearchParser(_) => Kind::TextSearchParser,
        Body::TextSearchTemplate(_) => Kind::TextSearchTemplate,
        Body::TextSearchDictionary(_) => Kind::TextSearchDictionary,
        Body::TextSearchConfig(_) => Kind::TextSearchConfig,
        Body::DefaultPrivileges(_) => Kind::DefaultPrivileges,
    }
}
