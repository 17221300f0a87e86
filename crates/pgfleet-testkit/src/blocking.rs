//! Calling async clients from ordinary and from async tests alike.

use std::thread;

/// Runs a future to its end on a thread and runtime of its own, so that it can be called from
/// within another runtime too.
pub(crate) fn run<T, F>(make: impl FnOnce() -> F + Send) -> T
where
    T: Send,
    F: Future<Output = T>,
{
    thread::scope(|scope| {
        let work = scope.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a tokio runtime").block_on(make())
        });
        work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
