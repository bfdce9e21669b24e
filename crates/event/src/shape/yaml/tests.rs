use super::*;

#[test]
fn a_value_of_several_lines_ends_where_it_ends() {
    let yaml =
        "a: 'one\n  two\n  three'\nb: 1\nc: {x: 1,\n  y: 2,\n  z: 3}\nd: \"p\n  q\n  r\n  s\n  t\"\ne: 2\nf: 3\ng: 4\n";
    let told: serde_json::Value = serde_json::from_str(&super::to_json(yaml).unwrap()).unwrap();
    let expected = serde_json::json!({"a": "one two three", "b": 1, "c": {"x": 1, "y": 2, "z": 3}, "d": "p q r s t", "e": 2, "f": 3, "g": 4});
    assert_eq!(told, expected);
    assert!(super::to_json("a: 'one\n  two' three\nb: 1\n").is_err());
}

/// As PyYAML and ruamel write what is longer than their 80 columns.
#[test]
fn what_is_folded_is_told_as_it_was() {
    for (text, expected) in [
        (
            "{a: 'RBAC:\n    allowed by \"x\"', b: [one two\n    three, 'x\n\n    y'], c: d:e}",
            r#"{"a":"RBAC: allowed by \"x\"","b":["one two three","x\ny"],"c":"d:e"}"#,
        ),
        ("- {a: \"p\\\n  \\ q \\\n  r\\U0001F980\\ud83e\\udd80\"}\n- {b: }\n", r#"[{"a":"p q r🦀🦀"},{"b":null}]"#),
        ("a: |\n  x \n  y\u{a0}\nb: 'p\u{85}'\n", "{\"a\":\"x \\ny\u{a0}\\n\",\"b\":\"p\u{85}\"}"),
        ("a: {b: \"x #y\", # no\n  c: 'd #e'} # no\n", r#"{"a":{"b":"x #y","c":"d #e"}}"#),
        (
            "\"a\": !!int \"200\"\n'b':\n- !!bool 'true'\n- !!str 7\nc: {\"d\": !!null \"null\", 'e': !!float \"0.5\"}\n",
            r#"{"a":200,"b":[true,"7"],"c":{"d":null,"e":0.5}}"#,
        ),
        ("a: 12e5\nb: 1.5e3\nc: -7\n", r#"{"a":"12e5","b":1.5e3,"c":-7}"#),
    ] {
        assert_eq!(to_json(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn yaml_is_told_as_json() {
    for (text, expected) in [
        ("a: 1\nb:\n- x\n- 'y: z'\nc: {d: [true, ~]}\n", r#"{"a":1,"b":["x","y: z"],"c":{"d":[true,null]}}"#),
        (
            "'@type': t\nlong: 'RBAC: allowed by \"ops\" of\n  ClusterRole'\n",
            r#"{"@type":"t","long":"RBAC: allowed by \"ops\" of ClusterRole"}"#,
        ),
        (
            "- a: |\n    x\n    y\n  time: 2026-11-21T20:37:37.000000Z\n",
            r#"[{"a":"x\ny\n","time":"2026-11-21T20:37:37.000000Z"}]"#,
        ),
        (
            "a: 007\nb: 1.50\nc: \"1\"\nd:\ne: x # no\nf: a#b\n",
            r#"{"a":"007","b":1.50,"c":"1","d":null,"e":"x","f":"a#b"}"#,
        ),
        (
            "---\na: plain text\n  goes on\nb: \"q\\u0041\\\n  r\"\nc: >-\n  x\n  y\n",
            r#"{"a":"plain text goes on","b":"qAr","c":"x y"}"#,
        ),
        ("- - 1\n  - 2\n-\n  a: {}\n- {\"a\":\n  [1,\n   2]}\n", r#"[[1,2],{"a":{}},{"a":[1,2]}]"#),
        (
            "- granted: true\n  list:\n  - a: 'it''s'\n    b: x:y\n",
            r#"[{"granted":true,"list":[{"a":"it's","b":"x:y"}]}]"#,
        ),
    ] {
        assert_eq!(to_json(text).unwrap(), expected, "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok());
    }
    let mut bomb = "a0: &a0 \"0123456789\"\n".to_owned();
    (0..30).for_each(|n| bomb += &format!("a{}: &a{}\n- *a{n}\n- *a{n}\n", n + 1, n + 1));
    assert!(to_json(&bomb).unwrap_err().0.contains("too much"));
    for wrong in [
        "a: !x [1]\n",
        "a: !!int \"x\"\n",
        "a: !!int [1]\n",
        "a: !!binary \"eA==\"\n",
        "b: *x\n",
        "a: [1",
        "a: 'x",
        "a: 1\nnothing\n",
        "a: {b: 1}}\n",
    ] {
        assert!(to_json(wrong).is_err(), "{wrong}");
    }
    assert!(to_json(&"[".repeat(100_000)).is_err() && to_json(&"- ".repeat(100_000)).is_err());
    assert!(crate::shape::mentions_event(b"kind: Event\nauditID: a\n"));
}
