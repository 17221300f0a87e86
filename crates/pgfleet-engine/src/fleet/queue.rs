//! One bounded queue per server.

use futures_util::stream::{self, SelectAll, StreamExt};

use super::server::Server;

/// Work on one target.
#[derive(Debug, Clone)]
pub struct Job<T> {
    /// The position of its server.
    pub server: usize,
    /// What is worked on.
    pub on: T,
}

/// Does all jobs, on each server as many at a time as its limit allows, and tells each result as
/// it comes. `goes_on` is asked before each job begins; jobs that were not begun are left out.
pub async fn run_bounded<T, R, F>(
    servers: &[Server],
    jobs: impl IntoIterator<Item = Job<T>>,
    goes_on: impl Fn() -> bool,
    work: impl Fn(T) -> F,
    mut done: impl FnMut(R),
) where
    F: Future<Output = R>,
{
    let mut queues: Vec<Vec<T>> = servers.iter().map(|_| Vec::new()).collect();
    for job in jobs {
        if let Some(queue) = queues.get_mut(job.server) {
            queue.push(job.on);
        }
    }
    let (goes_on, work) = (&goes_on, &work);
    let mut all = SelectAll::new();
    for (queue, server) in queues.into_iter().zip(servers) {
        let begun = stream::iter(queue)
            .map(move |on| async move { if goes_on() { Some(work(on).await) } else { None } })
            .buffer_unordered(server.limit.max(1));
        all.push(Box::pin(begun));
    }
    while let Some(result) = all.next().await {
        if let Some(result) = result {
            done(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn jobs(count: usize) -> impl Iterator<Item = Job<usize>> {
        (0..count).map(|on| Job { server: on % 2, on })
    }

    fn servers() -> [Server; 2] {
        [("a", 2), ("b", 1)].map(|(label, limit)| Server { label: label.to_owned(), limit })
    }

    #[tokio::test]
    async fn a_server_has_no_more_at_a_time_than_its_limit() {
        let (now, most, done) =
            ([Cell::new(0), Cell::new(0)], [Cell::new(0), Cell::new(0)], Cell::new(0));
        let work = |on: usize| {
            let (now, most) = (&now[on % 2], &most[on % 2]);
            async move {
                now.set(now.get() + 1);
                most.set(most.get().max(now.get()));
                tokio::task::yield_now().await;
                now.set(now.get() - 1);
            }
        };
        run_bounded(&servers(), jobs(20), || true, work, |()| done.set(done.get() + 1)).await;
        assert_eq!((most[0].get(), most[1].get(), done.get()), (2, 1, 20));
    }

    #[tokio::test]
    async fn nothing_begins_after_the_end() {
        let done = Cell::new(0);
        let work = |_| async { tokio::task::yield_now().await };
        run_bounded(&servers(), jobs(20), || done.get() < 3, work, |()| done.set(done.get() + 1))
            .await;
        assert!((3..=6).contains(&done.get()), "{}", done.get());
    }
}
