//! `kforensic query`: forms, files, raw logs, windows.

mod common;

use common::{Bounded, expected, ingest, kforensic, logs, query, repository, run};

#[test]
fn every_form_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let rows = expected("hardened", "rbac-changes");
    let form = |format: &str| run(&case, &["query", "rbac-changes", "--format", format]);
    assert_eq!(form("json").json().as_array().unwrap(), &rows);
    assert_eq!(form("jsonl").lines(), rows);
    assert_eq!(form("csv").stdout.lines().count(), rows.len() + 1);
    let table = form("table");
    assert_eq!(table.stdout.lines().count(), rows.len() + 2);
    assert!(
        table.stderr.starts_with("135 rows; all times; newest event 2026-11-21 20:38:24.476 UTC; "),
        "{}",
        table.stderr
    );
    // Without a terminal the same bytes every time.
    assert_eq!(form("table").stdout, table.stdout);

    let file = folder.path().join("answer.json");
    let written = run(&case, &["query", "rbac-changes", "-o", file.to_str().unwrap()]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), form("json").stdout);
}

#[test]
fn one_command_answers_from_raw_logs_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, current) = (folder.path().join("tmp"), folder.path().join("here"));
    std::fs::create_dir(&temporary).unwrap();
    std::fs::create_dir(&current).unwrap();
    let from = repository("sample-logs/hardened");
    let mut command = kforensic();
    command.args(["query", "secret-reads", "--format", "json", "--from"]).arg(&from);
    let ran: common::Ran = command.env("TMPDIR", &temporary).current_dir(&current).bounded_output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json().as_array().unwrap(), &expected("hardened", "secret-reads"));
    assert!(ran.stderr.contains("note: left out `"), "{}", ran.stderr);
    for dir in [temporary, current] {
        assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    }
    // Into a case that is named, where it stays.
    let case = folder.path().join("case");
    let ran = run(&case, &["query", "secret-reads", "--limit", "1", "--from", from.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(query(&case, &["secret-reads"]).len(), 130);
    // Rejected lines are told.
    let damaged = logs("tests/logs/damage")[0].clone();
    let ran = run(&folder.path().join("other"), &["query", "failed-auth", "--from", &damaged]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("warning: 1 of 937 records are no audit events"), "{}", ran.stderr);
}

#[test]
fn an_empty_window_says_that_the_evidence_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let since =
        |now: &[&str]| run(&case, &[&["query", "secret-reads", "--since", "1h", "--format", "json"], now].concat());
    let nothing = since(&["--now", "2030-01-01"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), "[]\n"));
    assert!(
        nothing.stderr.contains("note: the window begins after the newest event of the case: the evidence is older\n"),
        "{}",
        nothing.stderr
    );
    assert!(
        nothing.stderr.starts_with("0 rows; since 2029-12-31 23:00:00.000 UTC; newest event"),
        "{}",
        nothing.stderr
    );
    assert_eq!(since(&["--now", "last"]).json().as_array().unwrap().len(), 130);
}

#[test]
fn the_catalogue_lists_questions_their_views_and_needs() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["query"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for text in [
        "secret-reads",
        "rbac-changes",
        "failed-auth",
        "actor ACTOR",
        "Who changed RBAC",
        "credentials, denied, suspicious",
    ] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
    let found = run(folder.path(), &["query", "--search", "Exec"]);
    assert!(found.stdout.contains("exec-denied") && found.stdout.contains("medium"), "{found:?}");
    assert!(!found.stdout.contains("secret-reads"), "{found:?}");
    let critical = run(folder.path(), &["query", "--search", "critical"]).stdout;
    assert!(critical.contains("privileged-bindings") && !critical.contains("timeline"), "{critical}");
    let nothing = run(folder.path(), &["query", "--search", "xyzzy"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(2), ""));
    assert!(nothing.stderr.contains("no query is about `xyzzy`"), "{nothing:?}");
    let help = run(folder.path(), &["query", "secret-bursts", "--help"]).stdout;
    assert!(help.contains("Kind:    detection, severity high"), "{help}");
    let help = run(folder.path(), &["query", "exec-sessions", "--help"]).stdout;
    assert!(help.contains("-p view=suspicious") && help.contains("`exec-suspicious`"), "{help}");
    let many = run(folder.path(), &["query", "rbac"]);
    assert_eq!((many.code, many.stdout.as_str()), (Some(2), ""));
    assert!(many.stderr.contains("`rbac-changes`, `rbac-grants`"), "{many:?}");
}

#[test]
fn a_view_and_a_value_are_written_where_people_write_them() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let ask = |arguments: &[&str]| {
        let all = [&["query"], arguments, &["--case", case.to_str().unwrap(), "--format", "jsonl"]].concat();
        run(folder.path(), &all)
    };
    for (short, long) in [
        (&["actor", "bob"][..], &["actor", "-p", "actor=bob"][..]),
        (&["ip", "127.0.31.9"], &["ip", "-p", "address=127.0.31.9"]),
        (&["secret", "prod/db-credentials"], &["secret", "-p", "secret=prod/db-credentials"]),
        (&["object", "clusterroles/wild"], &["object", "--resource", "clusterroles", "--name", "wild"]),
        (&["object", "pods/exec/x"], &["object", "--resource", "pods", "--namespace", "exec", "--name", "x"]),
        (&["exec-sessions", "-p", "view=suspicious"], &["exec-suspicious"]),
        (
            &["secret", "prod/db-credentials", "-p", "view=history"],
            &["secret-history", "-p", "secret=prod/db-credentials"],
        ),
        (&["timeline", "--since", "20:37:37"], &["timeline", "--since", "2026-11-21 20:37:37"]),
    ] {
        let (short, long) = (ask(short), ask(long));
        assert_eq!((short.code, &short.stdout), (Some(0), &long.stdout), "{short:?}");
        assert!(!long.stdout.is_empty() || short.stderr.contains("0 rows"), "{long:?}");
    }
    for (wrong, hint) in [
        (&["secret-reads", "bob"][..], "kforensic query secret-reads --user bob"),
        (&["failed-auth", "10.0.0.0/8"], "--source-ip 10.0.0.0/8"),
        (&["secret-reads", "prod/db"], "--namespace prod --name db"),
        (&["object", "a/b/c/d"], "a value of `object` is RESOURCE/NAMESPACE/NAME"),
        (&["exec-sessions", "-p", "view=x"], "`-p view=suspicious`"),
        (&["timeline", "-p", "view=x"], "has one view only"),
    ] {
        let ran = ask(wrong);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(hint), "{ran:?}");
    }
}

#[test]
fn people_alone_are_shown_and_nobody_who_could_be_one_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let ask = |query: &str| run(&case, &["query", query, "--people", "--format", "jsonl"]).stdout;
    let actors = ask("identities");
    for who in ["\"bob\"", "\"alice\"", "\"mallory\"", "\"kubernetes-admin\""] {
        assert!(actors.contains(who), "{actors}");
    }
    for machine in ["system:serviceaccount:", "system:node:", "system:kube-", "system:apiserver"] {
        assert!(!actors.contains(&format!("\"user_name\":\"{machine}")), "{actors}");
    }
    // Who was not authenticated could be anybody.
    assert!(ask("failed-auth").contains("unauthenticated"));
}

#[test]
fn what_the_case_has_for_each_query_is_told_on_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/moderate"));
    let ran = run(folder.path(), &["query", "--hits", "--case", case.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = ran.stdout.lines().find(|line| line.contains(" deletions ")).unwrap();
    let rows = run(folder.path(), &["query", "deletions", "--format", "jsonl", "--case", case.to_str().unwrap()]);
    assert!(line.contains(&format!(" {} ", rows.stdout.lines().count())), "{line}");
    let unseen = ran.stderr.lines().find(|line| line.contains("this log cannot answer")).unwrap();
    assert!(unseen.contains("secret-reads") && unseen.contains("rbac-changes"), "{ran:?}");
    assert!(!ran.stdout.contains(" secret-reads "), "{ran:?}");
    // Its filters filter, its forms are those of any answer, and what it cannot take is refused.
    let of_bob = ["query", "--hits", "--where", "user_name = 'bob'", "--format", "jsonl"];
    let rows = run(&case, &of_bob).stdout;
    let timeline = rows.lines().find(|line| line.contains("\"timeline\"")).unwrap();
    let events = run(&case, &["query", "timeline", "--user", "bob", "--format", "jsonl"]).stdout.lines().count();
    assert!(timeline.contains(&format!("\"rows\":{events},\"most_of\":\"bob {events}\"")), "{timeline} {events}");
    assert_eq!(run(&case, &["query", "--hits", "--limit", "1"]).code, Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("tests/logs/metadata"));
    let script = format!(
        "{:?} --case {case:?} query secret-reads --format jsonl | head -1 > /dev/null; echo ${{PIPESTATUS[0]}}",
        kforensic().get_program()
    );
    let output = std::process::Command::new("bash").arg("-c").arg(script).bounded_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("error"));
}

#[test]
fn a_filter_narrows_and_one_that_a_query_cannot_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let count = |arguments: &[&str]| query(&case, &[&["secret-reads"], arguments].concat()).len();
    assert_eq!(count(&["--source-ip", "127.0.0.0/8"]), 130);
    assert_eq!(count(&["--source-ip", "10.0.0.0/8"]), 0);
    assert_eq!(count(&["--source-ip", "127.0.0.1"]), count(&["--source-ip", "::ffff:127.0.0.1"]));
    assert_eq!(count(&["--where", "user_name = 'bob' -- the intruder"]), count(&["--user", "bob"]));
    let (named, listed) = (count(&["--name", "db-credentials"]), count(&["--verb", "list"]));
    assert!(0 < named && named < 130 && 0 < listed && listed < 130, "{named} {listed}");
    assert_eq!((count(&["--resource", "secrets"]), count(&["--resource", "pods"])), (130, 0));

    let refused = |arguments: &[&str]| {
        let ran = run(&case, &[&["query", "secret-reads"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        ran.stderr
    };
    assert!(refused(&["-p", "usr=bob"]).contains("hint: did you mean `user`?"));
    assert!(refused(&["-p", "usr"]).contains("a parameter is given as NAME=VALUE"));
    assert!(refused(&["--source-ip", "10.0.0.0/33"]).contains("`10.0.0.0/33` is not a network"));
    assert!(refused(&["--resource", "pods/exec"]).contains("hint: give `--resource pods --where"));
    for condition in ["true) OR (true", "true) UNION SELECT (1", "1; DROP VIEW events", "$user = 'x'", "verb ="] {
        assert!(refused(&["--where", condition]).starts_with("error: "), "{condition}");
    }
}

#[test]
fn times_of_the_evidences_last_day_go_with_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let of = |times: &[&str]| {
        let ran = run(&case, &[&["query", "secret-reads", "--format", "json"], times].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    };
    let whole = of(&["--since", "2026-11-21T20:37:00Z", "--until", "2026-11-21T20:38:00Z"]);
    assert!(whole.contains("bob"), "{whole}");
    for times in [
        &["--since", "20:37", "--until", "20:38"][..],
        &["--since", "20:37", "--until", "2026-11-21 20:38"],
        &["--since", "2026-11-21T20:37", "--until", "20:38"],
        &["--since", "1m", "--until", "2026-11-21 20:38", "--now", "20:38"],
    ] {
        assert_eq!(of(times), whole, "{times:?}");
    }
    let sql = run(&case, &["query", "secret-reads", "--since", "20:37", "--show-sql"]).stdout;
    assert!(sql.contains("TIMESTAMP '2026-11-21T20:37:00.000000'"), "{sql}");
}

#[test]
fn what_show_sql_prints_gives_the_same_answer() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let arguments = ["--user", "bob", "--since", "1h", "--now", "last", "--source-ip", "127.0.0.0/8"];
    for name in ["secret-reads", "rbac-changes", "failed-auth"] {
        let shown = run(&case, &[&["query", name, "--show-sql"], &arguments[..]].concat());
        assert_eq!(shown.code, Some(0), "{shown:?}");
        let again = run(&case, &["sql", &shown.stdout, "--format", "jsonl"]);
        assert_eq!(again.code, Some(0), "{again:?}\n{}", shown.stdout);
        assert_eq!(again.lines(), query(&case, &[&[name], &arguments[..]].concat()));
    }
}

#[test]
fn a_query_of_ones_own_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (case, own) = (folder.path().join("case"), folder.path().join("own"));
    ingest(&case, &logs("sample-logs/hardened"));
    std::fs::create_dir(&own).unwrap();
    let text = "-- title = \"Verbs of a user\"\n-- question = \"What does somebody do?\"\n-- attack = []\n\
                -- needs = \"level Metadata\"\n-- noise = \"none\"\n-- [[parameters]]\n-- name = \"least\"\n\
                -- type = \"integer\"\n-- default = 1\n-- meaning = \"fewest requests\"\n\
                SELECT verb, count(*) AS requests FROM requests WHERE filters()\n\
                GROUP BY verb HAVING count(*) >= $least ORDER BY requests, verb\n";
    std::fs::write(own.join("verbs.sql"), text).unwrap();
    let own = own.to_str().unwrap();
    let rows = query(&case, &["verbs", "--queries", own, "--user", "bob"]);
    let fewer = query(&case, &["verbs", "--queries", own, "--user", "bob", "-p", "least=5"]);
    assert!(rows.len() > fewer.len() && !fewer.is_empty(), "{rows:?} {fewer:?}");
    assert!(run(&case, &["query", "--queries", own]).stdout.contains("Verbs of a user"));
    let help = run(&case, &["query", "verbs", "--queries", own, "--help"]).stdout;
    assert!(help.contains("-p least=<integer>  fewest requests [default: 1]"), "{help}");
    // What is wrong with a file is said, with its line.
    std::fs::write(folder.path().join("own/broken.sql"), text.replace("$least", "$lest")).unwrap();
    let ran = run(&case, &["query", "verbs", "--queries", own]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("broken.sql`: `$lest` is neither a common parameter nor declared"), "{}", ran.stderr);
    // A query of one's own passes the gate.
    std::fs::write(
        folder.path().join("own/broken.sql"),
        text.replace("FROM requests", "FROM read_text('/etc/passwd')"),
    )
    .unwrap();
    let ran = run(&case, &["query", "broken", "--queries", own]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
}

#[test]
fn help_reads_like_documentation() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["query", "secret-reads", "--help"]);
    assert_eq!(help.code, Some(0), "{help:?}");
    for text in
        ["secret-reads: Who read which secret", "ATT&CK:  T1552.007", "Needs:   ", "Noise:   ", "# 130 on hardened"]
    {
        assert!(help.stdout.contains(text), "{}", help.stdout);
    }
    let help = run(folder.path(), &["query", "--help"]).stdout;
    assert!(help.contains("--source-ip <ADDRESS|CIDR>") && help.contains("--show-sql"), "{help}");
}

#[test]
fn what_an_answer_was_read_from_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("case");
    ingest(&case, &logs("sample-logs/hardened"));
    let told = |arguments: &[&str]| {
        let ran = run(&case, &[&["query", "secret-reads", "--explain"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let line = ran.stderr.lines().find_map(|line| line.strip_prefix("read: ")).unwrap().to_owned();
        let numbers = line.split(|sign: char| !sign.is_ascii_digit()).filter_map(|part| part.parse::<u64>().ok());
        <[u64; 6]>::try_from(numbers.collect::<Vec<_>>()).unwrap()
    };
    let [files, all_files, bytes, all_bytes, events, all_events] = told(&[]);
    assert!(files < all_files && bytes < all_bytes && events < all_events);
    assert_eq!(all_events, 8_973);
    assert_eq!(told(&["--since", "2030-01-01"])[0], 0);
}
