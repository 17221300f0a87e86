//! Rows and values that do not fit.

use pgfleet_core::diagnose::Code;

use super::{assert_says, diagnosis};

const ORDERS: &str = "CREATE TABLE users (id int PRIMARY KEY); \
    CREATE TABLE orders (id int PRIMARY KEY, user_id int, total int, code text); \
    INSERT INTO users VALUES (1); \
    INSERT INTO orders VALUES (1, 1, 5, 'a'), (2, 7, -5, 'a'), (3, 8, -6, NULL)";

#[tokio::test]
async fn nulls_are_counted_with_keys() {
    let problem = diagnosis(ORDERS, "ALTER TABLE orders ALTER code SET NOT NULL").await;
    assert_says(&problem, Code::RowsViolate, &["1 row breaks it", "(id) = (3)", "code IS NULL"]);
}

#[tokio::test]
async fn duplicates_are_counted_with_keys() {
    let problem = diagnosis(ORDERS, "CREATE UNIQUE INDEX ON orders (code)").await;
    assert_says(
        &problem,
        Code::RowsViolate,
        &["2 rows break it", "(code) = (a) 2 times", "HAVING count(*) > 1"],
    );
}

#[tokio::test]
async fn orphans_are_counted_with_keys() {
    let statement = "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users";
    let problem = diagnosis(ORDERS, statement).await;
    assert_says(
        &problem,
        Code::RowsViolate,
        &["2 rows break it", "(id) = (2); (id) = (3)", "NOT VALID"],
    );
}

#[tokio::test]
async fn broken_checks_are_counted_with_keys() {
    let statement = "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0)";
    let problem = diagnosis(ORDERS, statement).await;
    assert_says(&problem, Code::RowsViolate, &["2 rows break it", "NOT (total >= 0)"]);
}

#[tokio::test]
async fn a_refused_insert_needs_no_count() {
    let problem = diagnosis(ORDERS, "INSERT INTO users VALUES (1)").await;
    assert_says(&problem, Code::RowsViolate, &["Key (id)=(1) already exists"]);
}

#[tokio::test]
async fn values_that_do_not_fit_their_types() {
    let problem = diagnosis(ORDERS, "INSERT INTO orders (id) VALUES (99999999999)").await;
    assert_says(&problem, Code::RowsViolate, &["bigint"]);
    let problem = diagnosis(ORDERS, "ALTER TABLE orders ALTER code TYPE int USING code::int").await;
    assert_says(&problem, Code::RowsViolate, &["USING"]);
    let narrow = "CREATE TABLE n (a varchar(2)); ";
    let problem = diagnosis(narrow, "INSERT INTO n VALUES ('long')").await;
    assert_says(&problem, Code::RowsViolate, &["longer than its column allows"]);
    let prepare =
        "CREATE TABLE n (id int PRIMARY KEY, a text); INSERT INTO n VALUES (1, 'long'), (2, 'x')";
    let problem = diagnosis(prepare, "ALTER TABLE n ALTER COLUMN a TYPE varchar(2)").await;
    assert_says(&problem, Code::RowsViolate, &["1 row breaks it", "(id) = (1)"]);
    let problem = diagnosis("", "SELECT '2024-13-45'::date").await;
    assert_says(&problem, Code::RowsViolate, &["YYYY-MM-DD"]);
}

#[tokio::test]
async fn types_that_do_not_go_together() {
    let problem = diagnosis(ORDERS, "ALTER TABLE orders ALTER code TYPE int").await;
    assert_says(
        &problem,
        Code::TypeMismatch,
        &["ALTER COLUMN code TYPE integer USING code::integer"],
    );
    let statement = "ALTER TABLE orders ADD FOREIGN KEY (code) REFERENCES users (id)";
    let problem = diagnosis(ORDERS, statement).await;
    assert_says(&problem, Code::TypeMismatch, &["same type"]);
}
