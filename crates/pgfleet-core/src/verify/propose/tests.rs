use super::super::{
    Check, EnumFact, Evidence, ForeignKeyFact, IndexFact, TriggerFact, judge, parse_declaration,
};
use super::*;

fn column(table: &str, name: &str, type_name: &str, not_null: bool) -> ColumnFact {
    let (table, name, type_name) = (table.to_owned(), name.to_owned(), type_name.to_owned());
    ColumnFact { schema: "public".to_owned(), table, name, type_name, not_null }
}

fn catalog(table: &str) -> Catalog {
    let (schema, name) = ("public".to_owned(), table.to_owned());
    let facts = |name: &str| (schema.clone(), table.to_owned(), name.to_owned());
    let (schema_of, of_table, index) = facts("t_pkey");
    let trigger = facts("touch");
    Catalog {
        tables: vec![TableFact {
            schema: schema.clone(),
            name,
            row_security: true,
            rows: Some(16),
            ..TableFact::default()
        }],
        columns: vec![
            column(table, "id", "uuid", true),
            column(table, "odd \"key\"\n", "text", false),
        ],
        indexes: vec![IndexFact { schema: schema_of, table: of_table, name: index, valid: true }],
        triggers: vec![TriggerFact {
            schema: trigger.0,
            table: trigger.1,
            name: trigger.2,
            enabled: true,
        }],
        policies: vec![[schema.clone(), table.to_owned(), "own".to_owned()]],
        foreign_keys: vec![ForeignKeyFact {
            schema: schema.clone(),
            table: table.to_owned(),
            ..ForeignKeyFact::default()
        }],
        functions: vec![[schema.clone(), "touch".to_owned()]],
        extensions: vec!["pgcrypto".to_owned()],
        enums: vec![EnumFact {
            schema,
            name: "role".into(),
            values: vec!["A".into(), "B'\"".into()],
        }],
    }
}

#[test]
fn a_proposal_is_readable() {
    insta::assert_snapshot!(propose(&catalog("questions")));
}

#[test]
fn what_is_proposed_holds_whatever_the_names() {
    for table in ["questions", "Odd Name", "a.b", "quo\"te", "new\nline", "back\\slash", "é"] {
        let catalog = catalog(table);
        let text = propose(&catalog);
        let checks =
            parse_declaration(&text, "proposed").unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        assert!(checks.len() > 8, "{text}");
        let evidence = Evidence { catalog: Some(Ok(catalog)), ..Evidence::default() };
        for (position, check) in checks.iter().enumerate() {
            let asks_data = matches!(check, Check::Rows(_));
            let verdict = judge(position, check, &evidence);
            assert!(verdict.ok || asks_data, "{verdict:?}\n{text}");
        }
    }
}

#[test]
fn a_history_of_migrations_is_not_taken_for_seeded_rows() {
    let text = propose(&catalog("flyway_schema_history"));
    assert!(!text.contains("kind = \"rows\""), "{text}");
    assert!(propose(&catalog("flyway_schema")).contains("kind = \"rows\""));
}
