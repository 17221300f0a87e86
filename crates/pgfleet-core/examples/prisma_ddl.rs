//! Prints the SQL that a Prisma schema stands for: `prisma_ddl FILE…`.

use std::process::ExitCode;

use pgfleet_core::prisma::{SchemaFile, ddl, read};

fn main() -> ExitCode {
    let files = std::env::args()
        .skip(1)
        .map(|path| std::fs::read_to_string(&path).map(|text| SchemaFile { path, text }));
    let files: Vec<_> = match files.collect::<Result<_, _>>() {
        Ok(files) => files,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match read(&files) {
        Ok(database) => {
            print!("{}", ddl(&database));
            ExitCode::SUCCESS
        }
        Err(problems) => {
            for problem in problems {
                let place = problem.place.map(|place| place.to_string()).unwrap_or_default();
                eprintln!("{place}: {}", problem.what);
            }
            ExitCode::FAILURE
        }
    }
}
