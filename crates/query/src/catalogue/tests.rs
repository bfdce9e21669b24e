use super::*;

const HEADER: &str = r#"-- title = "T"
-- question = "Q?"
-- group = "access"
-- kind = "detection"
-- severity = "high"
-- attack = ["T1552.007"]
-- needs = "level Metadata"
-- noise = "none known"
-- examples = [{ log = "hardened", rows = 1 }, { log = "hardened", arguments = ["--user", "x"], rows = 0 }]
"#;

fn parse(header: &str, sql: &str) -> Result<CannedQuery, (usize, Problem)> {
    let text = format!("{header}{sql}");
    CannedQuery::parse("queries/a-query.sql", &text).map_err(|error| (error.line, error.problem))
}

#[test]
fn every_file_of_the_folder_is_a_query() {
    // Walks the folder itself, so that a file that the build forgot is noticed too.
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/../../queries";
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        match CannedQuery::parse(path.to_str().unwrap(), &text) {
            Ok(query) => names.push(query.name),
            Err(error) => panic!("{error}"),
        }
    }
    names.sort_unstable();
    let catalogue = Catalogue::embedded().unwrap();
    let mut embedded: Vec<&str> = catalogue.iter().map(|query| query.name.as_str()).collect();
    embedded.sort_unstable();
    assert_eq!(embedded, names);
    assert!(names.iter().any(|name| name == "secret-reads"));
}

#[test]
fn kind_and_severity_are_read_and_searched() {
    let query = parse(HEADER, "SELECT 1 WHERE filters() ORDER BY 1").unwrap();
    assert_eq!((query.kind, query.severity), (QueryKind::Detection, Severity::High));
    assert!(Severity::Info < Severity::Low && Severity::High < Severity::Critical);
    for word in ["a-query", "Q?", "t1552", "access", "detection", "HIGH"] {
        assert_eq!(query.relevance(word), 1, "{word}");
    }
    assert_eq!((query.relevance("question"), query.relevance("low")), (0, 0));
    // Endings and words of every question do not count, and each word by itself.
    assert_eq!((query.relevance("the detections of t1552"), query.relevance("of the")), (2, 0));
    let own: String = HEADER
        .lines()
        .filter(|line| !line.contains("kind") && !line.contains("severity"))
        .map(|line| format!("{line}\n"))
        .collect();
    let query = parse(&own, "SELECT 1 WHERE filters() ORDER BY 1").unwrap();
    assert_eq!((query.kind, query.severity), (QueryKind::Question, Severity::Info));
}

#[test]
fn an_unknown_name_is_an_error_with_the_names_like_it() {
    let catalogue = Catalogue::embedded().unwrap();
    assert_eq!(catalogue.find("secret-reads").unwrap().name, "secret-reads");
    let error = catalogue.find("secret-raeds").unwrap_err();
    assert_eq!(error.near[0], "secret-reads");
    assert_eq!(error.to_string(), "there is no query `secret-raeds`");
}

#[test]
fn a_query_is_read_with_the_parameters_it_uses() {
    let header = format!(
        "{HEADER}-- [[parameters]]\n-- name = \"at_least\"\n-- type = \"integer\"\n-- meaning = \"fewest\"\n-- default = 3\n"
    );
    let query = parse(&header, "SELECT $at_least, $user, $since, $user WHERE filters() ORDER BY 1;\n").unwrap();
    let names: Vec<_> = query.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut all: Vec<_> = COMMON.iter().map(|common| common.name).collect();
    all.push("at_least");
    assert_eq!(names, all);
    assert_eq!(query.parameter("at_least").unwrap().default, Some(Value::Integer(3)));
    assert_eq!(query.parameter("usr"), None);
    assert_eq!(query.declared("usr").unwrap_err().to_string(), "the query `a-query` has no parameter `usr`");
    assert_eq!(query.examples[1].arguments, ["--user", "x"]);
}

#[test]
fn a_header_with_a_wrong_key_is_refused_with_its_line() {
    let (line, problem) = parse(&format!("{HEADER}-- techniques = []\n"), "SELECT 1 ORDER BY 1").unwrap_err();
    assert_eq!(line, 10);
    assert!(problem.to_string().contains("unknown field `techniques`"), "{problem}");

    let (line, problem) = parse(&HEADER.replace("T1552.007\"]", "T1552.007\""), "SELECT 1 ORDER BY 1").unwrap_err();
    assert!(matches!(problem, Problem::Header { .. }), "{problem}");
    assert!((6..=7).contains(&line), "{line}");

    let without_noise: String =
        HEADER.lines().filter(|line| !line.contains("noise")).map(|line| format!("{line}\n")).collect();
    let (_, problem) = parse(&without_noise, "SELECT 1 ORDER BY 1").unwrap_err();
    assert!(problem.to_string().contains("missing field `noise`"), "{problem}");

    for comment in ["Only of people.", "Where a = b, that is.", "x"] {
        let sql = "SELECT 1 WHERE filters() ORDER BY 1";
        let (line, problem) = parse(HEADER, &format!("-- {comment}\n{sql}")).unwrap_err();
        assert_eq!(line, 10);
        assert!(problem.to_string().contains("a comment belongs into the SQL, or behind an empty line"), "{problem}");
        assert!(parse(HEADER, &format!("\n-- {comment}\n{sql}")).is_ok(), "{comment}");
    }

    let error = CannedQuery::parse("queries/a.sql", "SELECT 1").unwrap_err();
    assert!(error.to_string().starts_with("line 1 of `queries/a.sql`: missing field"), "{error}");
}

#[test]
fn texts_of_the_header_mean_something() {
    for (from, to, problem) in [
        ("\"T\"", "\" \"", Problem::Blank { key: "title" }),
        ("T1552.007", "1552", Problem::Technique { id: "1552".to_owned() }),
        ("T1552.007", "T1552.7", Problem::Technique { id: "T1552.7".to_owned() }),
    ] {
        assert_eq!(parse(&HEADER.replace(from, to), "SELECT 1 ORDER BY 1"), Err((1, problem)));
    }
    for (from, to, missing) in [("rows = 0", "rows = 2", "`rows = 0`"), ("rows = 1", "rows = 0", "rows")] {
        let query = parse(&HEADER.replace(from, to), "SELECT 1 WHERE filters() ORDER BY 1").unwrap();
        assert_eq!(query.check_shipped(), Err(Problem::Examples { missing }));
    }
    let query = parse(HEADER, "SELECT 1 ORDER BY 1").unwrap();
    assert_eq!((query.check_shipped(), query.parameter("user")), (Err(Problem::Unfiltered), None));
    let query = parse(&HEADER.replace("access", "own"), "SELECT 1 WHERE filters() ORDER BY 1").unwrap();
    assert_eq!(query.check_shipped(), Err(Problem::Blank { key: "group" }));
    for line in ["-- kind = \"detection\"\n", "-- severity = \"high\"\n"] {
        let query = parse(&HEADER.replace(line, ""), "SELECT 1 WHERE filters() ORDER BY 1").unwrap();
        assert_eq!(query.check_shipped(), Err(Problem::Unrated), "{line}");
    }
    let (line, problem) = parse(&HEADER.replace("high", "awful"), "SELECT 1 ORDER BY 1").unwrap_err();
    assert!(line == 5 && problem.to_string().contains("unknown variant `awful`"), "{line} {problem}");
    let header = format!("{HEADER}-- resources = []\n").replace("-- examples", "-- resources = []\n-- examples");
    assert!(parse(&header, "SELECT 1 ORDER BY 1").is_err());
    for path in ["queries/Secret.sql", "queries/a--b.sql", "queries/a.txt", "queries/1a.sql", "queries/.sql"] {
        assert_eq!(CannedQuery::parse(path, HEADER).unwrap_err().problem, Problem::Name, "{path}");
    }
}

#[test]
fn needs_are_read_by_machines() {
    let with = |needs: &str| parse(&HEADER.replace("needs = \"level Metadata\"", needs), "SELECT 1 ORDER BY 1");
    let query = with("needs = [{ resource = \"pods\", subresource = \"exec\", level = \"Request\" }]").unwrap();
    assert_eq!((query.needs.len(), query.needs[0].level), (1, Level::Request));
    assert_eq!(query.needs_in_words(), "level Request for `pods/exec`");
    // A query of the user's own may say it in words, one of ours may not.
    let words = parse(HEADER, "SELECT 1 WHERE filters() ORDER BY 1").unwrap().check_shipped();
    assert_eq!(words, Err(Problem::Need { rule: "is said in words alone, from which no verdict comes" }));
    let query = with("needs = \"level Metadata\"\n-- caveat = \"and luck\"").unwrap();
    assert_eq!((query.needs.len(), query.needs_in_words().as_str()), (0, "level Metadata; and luck"));
    for (needs, problem) in [
        ("needs = []", Problem::Blank { key: "needs" }),
        ("needs = \" \"", Problem::Blank { key: "needs" }),
        ("needs = [{ level = \"None\" }]", Problem::Need { rule: "asks for level None, at which nothing is recorded" }),
    ] {
        assert_eq!(with(needs), Err((1, problem)), "{needs}");
    }
    assert!(matches!(with("needs = [{ level = \"Most\" }]"), Err((_, Problem::Header { .. }))));
}

#[test]
fn the_resources_that_a_query_needs_are_among_those_that_it_reads() {
    for query in Catalogue::embedded().unwrap().iter() {
        let Some(read) = &query.resources else { continue };
        for needed in query.needs.iter().flat_map(|need| &need.resource) {
            assert!(read.contains(needed), "`{}` needs `{needed}`, which it does not read", query.name);
        }
    }
}

#[test]
fn what_opens_no_file_without_refusals_reads_nothing_else() {
    let catalogue = Catalogue::embedded().unwrap();
    let asked: Vec<_> = catalogue.iter().filter(|query| query.refusals).collect();
    assert!(!asked.is_empty());
    for query in asked {
        let read: Vec<&str> = query.sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let of = |words: &[&str]| read.windows(2).filter(|pair| words.contains(&pair[0])).map(|pair| pair[1]).collect();
        let tables: Vec<&str> = of(&["FROM", "JOIN"]);
        assert_eq!(tables, ["auth_failures"], "{}", query.name);
        assert!(!query.whole_case, "{}", query.name);
    }
}

#[test]
fn declarations_are_checked() {
    let declare = |name: &str, rest: &str| {
        format!("{HEADER}-- [[parameters]]\n-- type = \"integer\"\n-- meaning = \"m\"\n-- name = \"{name}\"\n{rest}")
    };
    let twice = declare("n", "-- [[parameters]]\n-- name = \"n\"\n-- type = \"text\"\n-- meaning = \"m\"\n");
    for (header, line, rule) in [
        (declare("user", ""), 13, "is a common one, which needs no declaration"),
        (declare("Bad", ""), 13, "is not named in lower case with underscores"),
        (declare("n", "-- default = \"x\"\n"), 13, "has a default of another type, or no meaning"),
        (declare("n", ""), 13, "is declared, but the SQL does not use it"),
        (twice, 15, "is declared twice"),
    ] {
        match parse(&header, "SELECT 1 WHERE filters() ORDER BY 1") {
            Err((at, Problem::Declaration { rule: found, .. })) => assert_eq!((at, found), (line, rule)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_sql_is_one_ordered_select_with_known_parameters() {
    for (sql, line, problem) in [
        ("SELECT 1\nWHERE $usr ORDER BY 1", 11, Problem::Undeclared { name: "usr".to_owned() }),
        ("SELECT 1;\nSELECT 2 ORDER BY 1", 11, Problem::Statements { found: "begins a second statement" }),
        ("DROP TABLE x", 10, Problem::Statements { found: "is another statement" }),
        ("", 9, Problem::Statements { found: "is none" }),
        ("SELECT ? ORDER BY 1", 10, Problem::Refused { what: "a parameter without a name" }),
        ("SELECT 1 WHERE filters()", 10, Problem::Unordered),
    ] {
        assert_eq!(parse(HEADER, sql), Err((line, problem)), "{sql}");
    }
}

#[test]
fn a_folder_adds_queries_and_breaks_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut catalogue = Catalogue::embedded().unwrap();
    let before = catalogue.iter().count();
    assert!(matches!(catalogue.add_folder(folder.path()), Err(FolderError::Empty { .. })));
    assert!(matches!(catalogue.add_folder(&folder.path().join("gone")), Err(FolderError::Read { .. })));
    let header: String =
        HEADER.lines().filter(|line| !line.contains("examples")).map(|line| format!("{line}\n")).collect();
    let file =
        |name: &str| std::fs::write(folder.path().join(name), format!("{header}SELECT 1 WHERE filters() ORDER BY 1"));
    file("mine.sql").unwrap();
    catalogue.add_folder(folder.path()).unwrap();
    assert_eq!((catalogue.iter().count(), catalogue.find("mine").unwrap().group), (before + 1, Group::Own));
    let hostile = format!("{header}WITH x AS (SELECT 1 WHERE filters()) FROM read_text('/etc/passwd') ORDER BY 1");
    std::fs::write(folder.path().join("hostile.sql"), hostile).unwrap();
    let error = Catalogue::embedded().unwrap().add_folder(folder.path()).unwrap_err();
    assert!(matches!(error, FolderError::Refused { .. }), "{error}");
    std::fs::remove_file(folder.path().join("hostile.sql")).unwrap();
    let mut catalogue = Catalogue::embedded().unwrap();
    file("secret-reads.sql").unwrap();
    let error = catalogue.add_folder(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("secret-reads.sql` has the name of another query"), "{error}");
}
