//! Landlock alone: a DuckDB without a gate and without any lock of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use duckdb::{Config, Connection};
use tempfile::TempDir;

use super::*;
use crate::engine::{Engine, Start, THREAD_NAME};
use crate::error::QueryError;

const HOSTILE: &str = include_str!("../../../../tests/hostile/statements.sql");

/// A folder that looks like a case, one outside of it, and one to spill into.
struct Scene {
    root: TempDir,
}

impl Scene {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["case/events/_delta_log", "out", "spill"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let connection = Connection::open_in_memory().unwrap();
        let file = root.path().join("case/events/a.parquet");
        let sql = format!("COPY (SELECT i, i % 7 AS x FROM range(300_000) t(i)) TO '{}'", file.display());
        connection.execute_batch(&sql).unwrap();
        fs::write(root.path().join("case/events/_delta_log/00000000000000000000.json"), "{}").unwrap();
        fs::write(root.path().join("case/redaction.key"), "secret").unwrap();
        fs::write(root.path().join("out/readable.csv"), "a\n1\n").unwrap();
        Self { root }
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }

    /// A DuckDB that may do everything, on a thread that may not; `None` where there is no Landlock.
    fn engine(&self) -> Option<Engine> {
        let open = || {
            let config = Config::default().enable_autoload_extension(false).unwrap();
            let config = config.with("threads", "1").unwrap().with("async_threads", "0").unwrap();
            Ok((Connection::open_in_memory_with_flags(config).unwrap(), ()))
        };
        let spill = self.path("spill");
        let reach =
            Reach { files: vec![self.path("case/events/a.parquet").into()], folder: Some(spill.clone().into()) };
        let lock = move |connection: &Connection| {
            let sql = format!(
                "SET threads = 4; SET memory_limit = '200MB'; SET temp_directory = '{spill}'; \
                               CREATE TABLE ledger AS SELECT 0::BIGINT AS commit, '{{}}' AS account; \
                               CREATE VIEW events AS SELECT 1 AS x; CREATE VIEW requests AS SELECT 'get' AS verb"
            );
            connection.execute_batch(&sql).map_err(QueryError::engine("prepare"))
        };
        let (engine, protection, ()) = Engine::start(Start { open, lock, reach }).unwrap();
        if !protection.is_in_force() {
            println!("skipped: {protection}");
            return None;
        }
        Some(engine)
    }

    /// What every file holds, but for those of the folder to spill into.
    fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let mut contents = BTreeMap::new();
        let mut folders = vec![self.path("case"), self.path("out")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.to_str().unwrap().to_owned();
                if path.is_dir() {
                    contents.insert(name.clone(), Vec::new());
                    folders.push(name);
                } else {
                    contents.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        contents
    }
}

fn execute(engine: &Engine, sql: &str) -> Result<(), String> {
    let sql = sql.to_owned();
    engine.run(move |connection| connection.execute_batch(&sql)).map_err(|error| error.to_string())
}

#[test]
fn hostile_statements_leave_every_file_as_it_was_without_gate_and_lock() {
    let scene = Scene::new();
    let before = scene.contents();
    assert_eq!(before.len(), 6);
    let mut done = 0;
    for sql in HOSTILE.split("\n====\n") {
        // Those that hurt nobody but the engine that runs them.
        if ["sleep_ms", "finalize", "AGGREGATE_STATE", "json_serialize_sql(repeat"]
            .iter()
            .any(|part| sql.contains(part))
        {
            continue;
        }
        // One engine each: some leave it without its tables.
        let Some(engine) = scene.engine() else { return };
        let sql = sql.trim_end().replace("{case}", &scene.path("case")).replace("{out}", &scene.path("out"));
        let outcome = execute(&engine, &sql.replace("{file}", &scene.path("case/events/a.parquet")));
        done += usize::from(outcome.is_ok());
        assert_eq!(scene.contents(), before, "{sql}: {outcome:?}");
    }
    // Many are done: what they change is in memory.
    assert!(done > 30, "{done}");
}

#[test]
fn the_thread_reads_what_it_may_and_nothing_else() {
    let scene = Scene::new();
    let Some(engine) = scene.engine() else { return };
    let file = scene.path("case/events/a.parquet");
    execute(&engine, &format!("FROM read_parquet('{file}')")).unwrap();
    for path in ["case/redaction.key", "case/events/_delta_log/00000000000000000000.json", "out/readable.csv"] {
        let said = execute(&engine, &format!("FROM read_text('{}')", scene.path(path))).unwrap_err();
        assert!(said.contains("Permission denied"), "{said}");
    }
    assert!(execute(&engine, "FROM read_text('/etc/hostname')").unwrap_err().contains("Permission denied"));
    // The same by way of a link, and of the path of an open file.
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", scene.root.path().join("spill/link")).unwrap();
    assert!(execute(&engine, &format!("FROM read_text('{}')", scene.path("spill/link"))).is_err());
    assert!(execute(&engine, "FROM read_text('/proc/self/environ')").is_err());
    // The folder to spill into can be written.
    execute(&engine, &format!("COPY (SELECT 1) TO '{}'", scene.path("spill/x.csv"))).unwrap();
    execute(&engine, &format!("FROM read_text('{}')", scene.path("spill/x.csv"))).unwrap();
    execute(&engine, "SELECT count(*) FROM (SELECT md5(i::VARCHAR) AS h FROM range(3_000_000) t(i) ORDER BY h)")
        .unwrap();
    // This thread keeps its rights.
    fs::read("/etc/passwd").unwrap();
    fs::write(scene.root.path().join("out/answer"), "x").unwrap();
}

#[test]
fn the_threads_that_the_engine_starts_are_held_as_well() {
    let scene = Scene::new();
    let Some(engine) = scene.engine() else { return };
    let before = scene.contents();
    let (file, out) = (scene.path("case/events/a.parquet"), scene.path("out"));
    // Each of these makes every thread of the engine open files of its own.
    for sql in [
        format!("COPY (FROM read_parquet('{file}')) TO '{out}/many' (FORMAT parquet, PER_THREAD_OUTPUT true)"),
        format!("COPY (FROM read_parquet('{file}')) TO '{out}/parts' (FORMAT parquet, PARTITION_BY (x))"),
        format!("COPY (FROM range(1_000_000)) TO '{out}/x.csv'"),
        format!("COPY (FROM range(1_000_000)) TO '{file}' (FORMAT parquet)"),
    ] {
        let said = execute(&engine, &sql).unwrap_err();
        assert!(said.contains("Permission denied") || said.contains("Failed to create"), "{sql}: {said}");
    }
    assert_eq!(scene.contents(), before);
    // The kernel marks a thread that Landlock holds as one that gains no privileges, and its children with it.
    let mut held = 0;
    for _ in 0..200 {
        let threads = threads_of_engines();
        held = threads.iter().filter(|is_held| **is_held).count();
        if held >= 4 && threads.iter().all(|is_held| *is_held) {
            return;
        }
        // Another test's engine may be opening just now.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{held} threads are held: {:?}", threads_of_engines());
}

/// Whether they gain no privileges, for each thread that carries the name of an engine's.
fn threads_of_engines() -> Vec<bool> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let status = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let ours = status.filter(|status| status.lines().next() == Some(&format!("Name:\t{THREAD_NAME}")));
    ours.map(|status| status.contains("NoNewPrivs:\t1")).collect()
}

#[test]
fn no_connection_is_made() {
    let scene = Scene::new();
    let Some(engine) = scene.engine() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = execute(&engine, &format!("INSTALL icu FROM 'http://127.0.0.1:{port}'")).unwrap_err();
    assert!(listener.accept().is_err(), "{said}");
    let bound = engine.run(|_| TcpListener::bind("127.0.0.1:0").map(drop));
    let connected = engine.run(move |_| std::net::TcpStream::connect(("127.0.0.1", port)).map(drop));
    assert!(bound.is_err() && connected.is_err(), "{bound:?} {connected:?}");
}

#[test]
fn what_is_in_force_is_told() {
    assert_eq!(Protection::of_abi(7).to_string(), "Landlock in force (ABI 7)");
    assert_eq!(Protection::of_abi(3).to_string(), "Landlock partly in force (ABI 3; TCP needs 4)");
    assert_eq!(missing("it is off").to_string(), "Landlock not in force: it is off");
    assert!(Protection::of_abi(1).is_in_force() && !missing("").is_in_force());
    assert!(Path::new("/").exists());
}
