//! Stops the cluster that the tests of this checkout share; `make stop`.

fn main() {
    if !pgfleet_testkit::stop_shared() {
        println!("tests still use the shared cluster; it stops by itself when they are done");
    }
}
