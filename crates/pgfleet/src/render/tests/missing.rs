use insta::assert_snapshot;
use pgfleet_core::missing::{ColumnRow, EnumRow, MissingReport, ModelRow};

use super::both;
use crate::render::{MissingOptions, missing};

fn model(model: &str, table: &str, exists: bool, migration: Option<&str>) -> ModelRow {
    let migration = migration.map(str::to_owned);
    ModelRow { model: model.into(), table: table.into(), exists, migration }
}

fn report() -> MissingReport {
    let column = |column: &str, migration: Option<&str>| ColumnRow {
        model: "User".into(),
        table: "users".into(),
        column: column.into(),
        migration: migration.map(str::to_owned),
    };
    let value = EnumRow { name: "Role".into(), value: Some("ADMIN".into()), migration: None };
    MissingReport {
        models: vec![
            model("User", "users", true, None),
            model("OrganizationService", "organization_services", false, None),
            model("Session", "sessions", false, Some("20251017_add_session_model")),
        ],
        columns: vec![column("phone", None), column("avatar", Some("20251017_add_avatar"))],
        enums: vec![value, EnumRow { name: "Kind".into(), value: None, migration: None }],
        extra_tables: vec!["old_users".into(), "tmp_import".into()],
    }
}

#[test]
fn tables_columns_and_enums() {
    let options = MissingOptions::default();
    assert_snapshot!(both(|out, style| missing(out, style, &report(), options)));
}

#[test]
fn nothing_is_missing() {
    let complete = MissingReport {
        models: vec![model("User", "users", true, None)],
        ..MissingReport::default()
    };
    let options = MissingOptions { all: true };
    assert_snapshot!(both(|out, style| missing(out, style, &complete, options)));
}
