use super::*;

/// Texts that DuckDB itself has cut, by `tests/oracle/tokens.py`.
const CASES: &str = include_str!("cases.jsonl");

fn kinds(sql: &str) -> Vec<(Kind, &str)> {
    scan(sql).filter(|token| token.kind != Kind::Space).map(|token| (token.kind, token.text(sql))).collect()
}

/// The tokens as the cases tell them: kinds and beginnings, without operators.
fn told(sql: &str) -> Vec<(String, usize)> {
    let name = |kind| match kind {
        Kind::Space | Kind::Symbol => None,
        Kind::Comment => Some("comment"),
        Kind::Word => Some("word"),
        Kind::QuotedName => Some("name"),
        Kind::Text => Some("text"),
        Kind::Number => Some("number"),
        Kind::Semicolon => Some("semicolon"),
    };
    scan(sql).filter_map(|token| Some((name(token.kind)?.to_owned(), token.range.start))).collect()
}

#[test]
fn tokens_end_where_duckdb_ends_them() {
    let mut seen = 0;
    for line in CASES.lines() {
        let (sql, tokens): (String, Vec<(String, usize)>) = serde_json::from_str(line).unwrap();
        assert_eq!(told(&sql), tokens, "{sql:?}");
        seen += 1;
    }
    assert!(seen >= 500, "{seen}");
}

/// What an attacker would use of it: each hides a `;` from a reader that does not know the oddity, or shows one that is none.
#[test]
fn nothing_hides_a_statement() {
    let count = |sql: &str| scan(sql).filter(|token| token.kind == Kind::Semicolon).count();
    for sql in [
        "SELECT 1 -- x\r; DROP TABLE t",
        "SELECT `'`; DROP TABLE `'`",
        "SELECT `a``'`; DROP TABLE t -- '",
        "SELECT \"a\"\"'\"; DROP TABLE t -- '",
        "SELECT /* /* */ ' */ 1; DROP TABLE t -- '",
        "SELECT 1e'\\''; DROP TABLE t -- '",
        "SELECT e'\\''; DROP TABLE t -- '",
        "SELECT E'\\\\'; DROP TABLE t -- '",
        "SELECT $e'\\''; DROP TABLE t -- '",
        "SELECT '\\'; DROP TABLE t -- '",
        "SELECT N'\\'; DROP TABLE t -- '",
        "SELECT ae'\\'; DROP TABLE t -- '",
        "SELECT $1$; DROP TABLE t; $1$",
        "SELECT a$$; DROP TABLE t -- $$",
        "SELECT $é$ ' $é$; DROP TABLE t -- '",
        "SELECT $a$ $A$ ' $a$; DROP TABLE t -- '",
        "SELECT $a$$$a$; DROP TABLE t",
        "SELECT 2*/* ' */1; DROP TABLE t -- '",
        "SELECT 1\u{a0}-- '\n; DROP TABLE t -- '",
    ] {
        assert!(count(sql) >= 1, "{sql}");
        assert_eq!(&sql[statements(sql)[1].clone()][..4], "DROP", "{sql}");
    }
    for sql in ["SELECT '''; '", "SELECT e'\\'; '", "SELECT `;`", "SELECT $a$;$b$;$a$", "SELECT /* /* */ ; */ 1"] {
        assert_eq!((count(sql), is_complete(&format!("{sql};"))), (0, true), "{sql}");
    }
}

/// DuckDB's parser, which takes all of a text: where it finds statements, there are as many as we count.
#[test]
fn there_are_as_many_statements_as_duckdb_parses() {
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let pieces = [
        "SELECT 1",
        "; SELECT 2",
        "'",
        "''",
        ";",
        " -- ",
        "\n",
        "\r",
        "/*",
        "*/",
        "`",
        "\"",
        "e'",
        "\\",
        "$$",
        "$a$",
        " AS x",
        " ",
        "\u{a0}",
        "SELECT 'a'",
        "1e",
    ];
    let (mut state, mut parsed) = (1_u64, [0; 4]);
    for _ in 0..6_000 {
        let mut next = || {
            // A generator of Knuth's: the same texts every time.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap()
        };
        let length = 2 + next() % 7;
        let sql: String =
            "SELECT 1".chars().chain((0..length).flat_map(|_| pieces[next() % pieces.len()].chars())).collect();
        let tree: String =
            connection.query_row("SELECT json_serialize_sql(?::VARCHAR)", [&sql], |row| row.get(0)).unwrap();
        let tree: serde_json::Value = serde_json::from_str(&tree).unwrap();
        if let Some(found) = tree["statements"].as_array() {
            assert_eq!(statements(&sql).len(), found.len(), "{sql:?}");
            parsed[found.len().min(3)] += 1;
        }
    }
    assert!(parsed[1] > 300 && parsed[2] > 50, "{parsed:?}");
}

#[test]
fn every_kind_is_told_apart() {
    let sql = "SELECT \"a b\", 'it''s; ', E'\\'x', $$;$$, $t$'$t$, 1.5e3, x.y -- ;'\n/* ; /* */ ; */ ; $1";
    assert_eq!(
        kinds(sql),
        [
            (Kind::Word, "SELECT"),
            (Kind::QuotedName, "\"a b\""),
            (Kind::Symbol, ","),
            (Kind::Text, "'it''s; '"),
            (Kind::Symbol, ","),
            (Kind::Text, "E'\\'x'"),
            (Kind::Symbol, ","),
            (Kind::Text, "$$;$$"),
            (Kind::Symbol, ","),
            (Kind::Text, "$t$'$t$"),
            (Kind::Symbol, ","),
            (Kind::Number, "1.5e3"),
            (Kind::Symbol, ","),
            (Kind::Word, "x"),
            (Kind::Symbol, "."),
            (Kind::Word, "y"),
            (Kind::Comment, "-- ;'"),
            (Kind::Comment, "/* ; /* */ ; */"),
            (Kind::Semicolon, ";"),
            (Kind::Symbol, "$"),
            (Kind::Number, "1"),
        ]
    );
}

#[test]
fn tokens_together_are_the_text_whatever_it_is() {
    let alphabet =
        ["'", "\"", "$", "$$", "E'", "/*", "*/", "--", "\n", ";", "a", "é", "1", "\\", " ", "`", "\u{2009}", "."];
    for seed in 0..alphabet.len().pow(4) {
        let pick = |at: u32| alphabet[seed / alphabet.len().pow(at) % alphabet.len()];
        let sql = [pick(0), pick(1), pick(2), pick(3)].concat();
        let together: String = scan(&sql).map(|token| token.text(&sql).to_owned()).collect();
        assert_eq!(together, sql);
        let _ = (statements(&sql), is_complete(&sql));
    }
}

#[test]
fn a_statement_is_complete_at_its_semicolon() {
    for complete in ["", "  -- only a comment", "SELECT 1;", "SELECT ';'; -- done", "a; b;\n"] {
        assert!(is_complete(complete), "{complete}");
    }
    for open in ["SELECT 1", "SELECT ';", "SELECT 1; SELECT", "SELECT 1 /* ;", "SELECT 1 -- ;", "SELECT $$;"] {
        assert!(!is_complete(open), "{open}");
    }
}

#[test]
fn statements_are_cut_behind_their_semicolons() {
    let cut = |sql: &'static str| statements(sql).into_iter().map(|range| &sql[range]).collect::<Vec<_>>();
    assert_eq!(cut("-- first\nSELECT 1; ;; SELECT ';' ;\nlast -- x"), ["SELECT 1;", "SELECT ';' ;", "last"]);
    assert_eq!(cut(" ; -- nothing"), Vec::<&str>::new());
}

#[test]
fn names_are_read_without_their_quotes() {
    let sql = "Verb \"a\"\"b\" `c``d` 'text' \"open";
    let names: Vec<_> = scan(sql).filter_map(|token| token.name(sql)).collect();
    assert_eq!(names, ["Verb", "a\"b", "c`d", "open"]);
    assert!(tokens("Verb")[0].is_word("Verb", "VERB") && !tokens("\"Verb\"")[0].is_word("\"Verb\"", "VERB"));
}
