use insta::assert_snapshot;
use pgfleet_core::missing::{ColumnRow, EnumRow, MissingReport, ModelRow};

use super::both;
use crate::render::{MissingOptions, missing};

fn model(model: &str, table: &str, exists: bool, migration: Option<&str>) -> ModelRow {
    let migration = migration.map(str::to_owned);
    ModelRow { model: model.into(), table: table.into(), exists, migration, made_by: None }
}

fn report() -> MissingReport {
    let column = |column: &str, migration: Option<&str>| ColumnRow {
        model: "User".into(),
        table: "users".into(),
        column: column.into(),
        migration: migration.map(str::to_owned),
        made_by: None,
    };
    let gone =
        ModelRow { made_by: Some("20250101_init".into()), ..model("Team", "teams", false, None) };
    let value = EnumRow {
        name: "Role".into(),
        value: Some("ADMIN".into()),
        migration: None,
        made_by: None,
    };
    MissingReport {
        models: vec![
            model("User", "users", true, None),
            model("OrganizationService", "organization_services", false, None),
            model("Session", "sessions", false, Some("20251017_add_session_model")),
            gone,
        ],
        columns: vec![column("phone", None), column("avatar", Some("20251017_add_avatar"))],
        enums: vec![
            value,
            EnumRow { name: "Kind".into(), value: None, migration: None, made_by: None },
        ],
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
