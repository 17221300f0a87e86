//! Waits until a step of pgfleet's is seen at work in `pg_stat_activity`, and kills in the midst of it.
//!
//! Invariant: it looks at the sessions of one split alone, however many use the server.

use std::io::Read;
use std::process::{Child, ChildStderr, Stdio};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use pgfleet_testkit::client_command;

/// Sees a session whose statement is `$AIM` (or was, a moment ago), waits up to 5 ms, and meets what is
/// there then: what works comes before what waits. `$KILL` kills that backend within milliseconds, and
/// with it all sessions, this one too.
const HUNT: &str = r"DO $hunt$ DECLARE met record; aimed boolean := false;
BEGIN
  LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT pid, left(regexp_replace(query, '\s+', ' ', 'g'), 200) AS query INTO met FROM pg_stat_activity
      WHERE application_name = 'pgfleet' AND (datname ~ '^$NAME' OR query ~ '$NAME') AND (aimed OR query ~ '$AIM')
      ORDER BY state = 'active' DESC, random() LIMIT 1;
    IF met.pid IS NOT NULL AND NOT aimed THEN
      aimed := true;
      PERFORM pg_sleep(random() * 0.005);
      CONTINUE;
    END IF;
    IF met.pid IS NOT NULL THEN
      RAISE WARNING 'met %', met.query;
      $KILL
    END IF;
    PERFORM pg_sleep(0.001);
  END LOOP;
END $hunt$";

const KILL: &str = "BEGIN
        EXECUTE format('COPY (SELECT 1) TO PROGRAM $sh$kill -9 %s$sh$', met.pid);
      EXCEPTION WHEN OTHERS THEN NULL;
      END;";

/// What a hunt does with what it meets.
#[derive(Clone, Copy)]
pub(super) enum Prey {
    /// Kills the backend.
    Backend,
    /// Ends, for whoever waits for it to kill pgfleet.
    Pgfleet,
}

/// A session that hunts.
pub(super) struct Hunt {
    psql: Child,
    said: Option<JoinHandle<String>>,
}

impl Hunt {
    /// Begins on a server (`url`), after the sessions of the databases whose names begin with `name`.
    pub(super) fn begin(url: &str, name: &str, aim: &str, prey: Prey) -> Self {
        let kill = match prey {
            Prey::Backend => KILL,
            Prey::Pgfleet => "RETURN;",
        };
        let sql = HUNT.replace("$NAME", name).replace("$AIM", aim).replace("$KILL", kill);
        let mut psql = client_command("psql");
        psql.args(["-XqAt", "-d", url, "-c", &sql]);
        // One that is killed ends on its server too.
        psql.env("PGOPTIONS", "-c client_connection_check_interval=100");
        psql.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        let said = psql.stderr.take().map(|pipe| std::thread::spawn(move || read(pipe)));
        Self { psql, said }
    }

    /// Whether it has met what it was after.
    pub(super) fn is_over(&mut self) -> bool {
        self.psql.try_wait().unwrap().is_some()
    }

    /// Waits for its end, not for ever.
    pub(super) fn wait(&mut self) {
        let begun = Instant::now();
        while !self.is_over() && begun.elapsed() < Duration::from_secs(20) {
            sleep(Duration::from_millis(5));
        }
    }

    /// Ends it; the statement that it met last, if any.
    pub(super) fn end(mut self) -> Option<String> {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
        let said = self.said.take()?.join().unwrap();
        let met = said.lines().filter_map(|line| line.split_once("met ")).next_back();
        met.map(|(_, query)| step_of(query).to_owned())
    }
}

fn read(mut pipe: ChildStderr) -> String {
    let mut said = String::new();
    let _ = pipe.read_to_string(&mut said);
    said
}

/// What a statement belongs to, for people who count.
fn step_of(query: &str) -> &str {
    let known = [
        ("hash_record", "sums"),
        ("COPY", "COPY"),
        ("DATABASE", "databases"),
        ("TRIGGER", "fence and triggers"),
        ("pgfleet.", "journal"),
        ("CREATE", "DDL"),
        ("ALTER", "DDL"),
        ("ANALYZE", "sequences and statistics"),
        ("sequence", "sequences and statistics"),
    ];
    known.iter().find(|(part, _)| query.contains(part)).map_or("other statements", |(_, step)| step)
}
