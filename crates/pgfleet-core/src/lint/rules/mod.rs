//! The rules, one file each.

mod prelude;

use super::Rule;

/// Registers rules: a file of `rules/`, a name, a page of `docs/lint/` and a folder of
/// `corpus/lint/` belong together.
macro_rules! rules {
    ($($file:ident = $name:literal;)+) => {
        $(mod $file;)+

        /// Every rule, by name.
        pub(super) static RULES: &[Rule] = &[$(Rule {
            name: $name,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lint/", $name, ".md")),
            definition: &$file::RULE,
        },)+];
    };
}

rules! {
    adding_field_with_default = "adding-field-with-default";
    adding_foreign_key_constraint = "adding-foreign-key-constraint";
    adding_not_nullable_field = "adding-not-nullable-field";
    adding_required_field = "adding-required-field";
    adding_serial_primary_key_field = "adding-serial-primary-key-field";
    attaching_partition_scans = "attaching-partition-scans";
    backfill_with_ddl = "backfill-with-ddl";
    ban_char_field = "ban-char-field";
    ban_concurrent_index_creation_in_transaction = "ban-concurrent-index-creation-in-transaction";
    ban_disable_trigger = "ban-disable-trigger";
    ban_domain_constraint = "ban-domain-constraint";
    ban_drop_column = "ban-drop-column";
    ban_drop_database = "ban-drop-database";
    ban_drop_not_null = "ban-drop-not-null";
    ban_drop_table = "ban-drop-table";
    ban_truncate_cascade = "ban-truncate-cascade";
    ban_uncommitted_transaction = "ban-uncommitted-transaction";
    changing_column_type = "changing-column-type";
    constraint_missing_not_valid = "constraint-missing-not-valid";
    constraint_never_validated = "constraint-never-validated";
    disallowed_unique_constraint = "disallowed-unique-constraint";
    drop_cascade = "drop-cascade";
    dropping_used_index = "dropping-used-index";
    duplicate_index = "duplicate-index";
    existing_rows_violate = "existing-rows-violate";
    foreign_key_type_mismatch = "foreign-key-type-mismatch";
    foreign_key_without_index = "foreign-key-without-index";
    identifier_too_long = "identifier-too-long";
    lock_table = "lock-table";
    opaque_statement = "opaque-statement";
    policy_function_per_row = "policy-function-per-row";
    prefer_bigint_over_int = "prefer-bigint-over-int";
    prefer_bigint_over_smallint = "prefer-bigint-over-smallint";
    prefer_identity = "prefer-identity";
    prefer_jsonb = "prefer-jsonb";
    prefer_robust_stmts = "prefer-robust-stmts";
    prefer_text_field = "prefer-text-field";
    prefer_timestamptz = "prefer-timestamptz";
    privilege_change = "privilege-change";
    removing_enum_value = "removing-enum-value";
    renaming_column = "renaming-column";
    renaming_table = "renaming-table";
    require_concurrent_index_creation = "require-concurrent-index-creation";
    require_concurrent_index_deletion = "require-concurrent-index-deletion";
    require_concurrent_partition_detach = "require-concurrent-partition-detach";
    require_concurrent_refresh = "require-concurrent-refresh";
    require_concurrent_reindex = "require-concurrent-reindex";
    require_enum_value_ordering = "require-enum-value-ordering";
    require_table_schema = "require-table-schema";
    require_timeout_settings = "require-timeout-settings";
    reserved_word_name = "reserved-word-name";
    row_security_without_policy = "row-security-without-policy";
    security_definer_search_path = "security-definer-search-path";
    several_tables_locked = "several-tables-locked";
    table_rewrite = "table-rewrite";
    table_without_primary_key = "table-without-primary-key";
    transaction_nesting = "transaction-nesting";
    unlogged_table = "unlogged-table";
    using_new_enum_value = "using-new-enum-value";
    validating_in_same_transaction = "validating-in-same-transaction";
    whole_table_write = "whole-table-write";
}
