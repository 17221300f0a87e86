use super::*;
use crate::schema::{Constraint, Index, Table};

fn object(id: ObjectId, body: Body) -> Object {
    Object { id, body, comment: None, part_comments: BTreeMap::new(), grants: Vec::new() }
}

fn table(columns: &[(&str, &str, Option<&str>)]) -> Object {
    let column = |(name, type_name, default): &(&str, &str, Option<&str>)| Column {
        name: (*name).to_owned(),
        type_name: (*type_name).to_owned(),
        default: default.map(str::to_owned),
        ..Column::default()
    };
    let columns = columns.iter().map(column).collect();
    let body = Body::Table(Box::new(Table { columns, ..Table::default() }));
    object(ObjectId::new(Kind::Table, "public", "t"), body)
}

fn index(name: &str, rest: &str) -> Object {
    let index = Index {
        table: "public.t".to_owned(),
        definition: format!("CREATE UNIQUE INDEX {name} ON public.t USING {rest}"),
        unique: true,
        valid: true,
        parent_index: None,
        partitioned: false,
        twin: 0,
        statistics: Vec::new(),
    };
    object(ObjectId::new(Kind::Index, "public", name), Body::Index(index))
}

fn constraint(name: &str, kind: ConstraintKind, definition: &str) -> Object {
    let id = ObjectId { table: "t".to_owned(), ..ObjectId::new(Kind::Constraint, "public", name) };
    let constraint = Constraint {
        kind,
        definition: definition.to_owned(),
        validated: true,
        inherited: false,
        parent_index: None,
        index_options: Vec::new(),
        references: None,
    };
    object(id, Body::Constraint(constraint))
}

fn labels(labels: &[&str]) -> Object {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    object(ObjectId::new(Kind::Enum, "public", "mood"), Body::Enum(EnumType { labels }))
}

/// Edges by names of objects; `t.column` is a column.
fn schema(mut objects: Vec<Object>, edges: &[(&str, &str)]) -> Schema {
    objects.sort_by(|a, b| a.id.cmp(&b.id));
    let place = |name: &str| {
        let (name, column) = name.split_once('.').map_or((name, None), |(n, c)| (n, Some(c)));
        let at = objects.iter().position(|object| object.id.name == name).unwrap();
        (u32::try_from(at).unwrap(), column.map(Box::from))
    };
    let edge = |(from, to): &(&str, &str)| {
        let ((from, from_column), (to, to_column)) = (place(from), place(to));
        Edge { from, from_column, to, to_column }
    };
    let mut edges: Vec<_> = edges.iter().map(edge).collect();
    edges.sort();
    Schema { objects, edges, ..Schema::empty() }
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.objects.iter().map(|object| object.id.name.as_str()).collect()
}

#[test]
fn what_schema_prisma_has_no_word_for_stays_while_what_it_needs_stays() {
    let check = |name| constraint(name, ConstraintKind::Check, "CHECK (true)");
    let start = schema(
        vec![
            table(&[("id", "integer", None), ("old", "text", None)]),
            check("on_id"),
            check("on_old"),
            index("partial", "btree (id) WHERE (id > 1)"),
            index("whole", "btree (old)"),
        ],
        &[("on_id", "t.id"), ("on_old", "t.old"), ("partial", "t.id"), ("whole", "t.old")],
    );
    let wanted = schema(vec![table(&[("id", "integer", None)])], &[]);
    let completed = complete(&start, &wanted);
    assert_eq!(names(&completed.schema), ["t", "partial", "on_id"]);
    assert!(completed.schema.is_consistent());
    assert_eq!(completed.schema.edges.len(), 2);
}

#[test]
fn a_unique_constraint_is_the_unique_index_that_prisma_would_make_and_takes_its_name() {
    let unique = |name| constraint(name, ConstraintKind::Unique, "UNIQUE (id) DEFERRABLE");
    let columns = [("id", "integer", None)];
    let wanted = schema(vec![table(&columns), index("t_id_key", "btree (id)")], &[]);
    for (name, renames) in [("t_id_key", 0), ("t_id_ke", 1)] {
        let completed = complete(&schema(vec![table(&columns), unique(name)], &[]), &wanted);
        assert_eq!(completed.renames.len(), renames, "{name}");
        let kinds: Vec<_> = completed.schema.objects.iter().map(|object| object.id.kind).collect();
        assert_eq!(kinds, [Kind::Table, Kind::Constraint]);
        assert_eq!(names(&completed.schema), ["t", "t_id_key"]);
    }
}

#[test]
fn an_index_made_partial_by_hand_is_the_one_that_prisma_names() {
    let columns = [("id", "integer", None)];
    let start = schema(vec![table(&columns), index("t_id_key", "btree (id) WHERE (id > 1)")], &[]);
    let wanted = schema(vec![table(&columns), index("t_id_key", "btree (id)")], &[]);
    let completed = complete(&start, &wanted);
    assert_eq!(completed.schema, start);
}

#[test]
fn values_keep_their_order_and_new_ones_come_last() {
    let of = |schema: &Schema| match &schema.objects[0].body {
        Body::Enum(mood) => mood.labels.clone(),
        _ => Vec::new(),
    };
    let start = schema(vec![labels(&["b", "a", "gone"])], &[]);
    let wanted = schema(vec![labels(&["a", "new", "b"])], &[]);
    assert_eq!(of(&complete(&start, &wanted).schema), ["b", "a", "new"]);
}

#[test]
fn an_enum_that_a_function_takes_stays_and_any_other_goes() {
    let start = schema(vec![labels(&["a"])], &[]);
    assert!(complete(&start, &Schema::empty()).schema.objects.is_empty());
    let domain = crate::schema::DomainType {
        base: "public.mood".to_owned(),
        not_null: false,
        default: None,
        collation: None,
        constraints: Vec::new(),
    };
    let domain = object(ObjectId::new(Kind::Domain, "public", "temper"), Body::Domain(domain));
    let start = schema(vec![labels(&["a"]), domain], &[("temper", "mood")]);
    assert_eq!(complete(&start, &Schema::empty()).schema, start);
}

#[test]
fn columns_change_in_what_prisma_sees() {
    let column = |type_name: &str, default: Option<&str>, not_null| Column {
        name: "c".to_owned(),
        type_name: type_name.to_owned(),
        default: default.map(str::to_owned),
        not_null,
        ..Column::default()
    };
    let merged = |present: &Column, wanted: &Column| {
        columns::merged(&Schema::empty(), Some(present), wanted)
    };
    let tags = column("text[]", Some("'{}'::text[]"), false);
    assert_eq!(merged(&tags, &column("text[]", Some("ARRAY[]::text[]"), true)), tags);
    let mut compressed = column("text", None, false);
    compressed.compression = Some("lz4".to_owned());
    let wanted = column("integer", Some("1"), true);
    let changed = merged(&compressed, &wanted);
    assert_eq!((changed.type_name.as_str(), changed.not_null), ("integer", true));
    assert_eq!(changed.compression.as_deref(), Some("lz4"));
    let serial = column("integer", Some("nextval('public.a_seq'::regclass)"), true);
    let other = column("integer", Some("nextval('public.t_c_seq'::regclass)"), true);
    assert_eq!(merged(&serial, &other), serial);
}
