//! Values that hold values, with what each format makes of them.

use std::sync::Arc;

use arrow::array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder, UnionBuilder};
use arrow::array::types::{Float64Type, Int32Type};
use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use super::cases::{Case, MICROS, case, same};

fn groups() -> ListArray {
    let mut groups = ListBuilder::new(StringBuilder::new());
    groups.append_value([Some("ops"), None, Some("a, b")]);
    groups.append_null();
    groups.finish()
}

pub(crate) fn lists() -> Vec<Case> {
    let (json, shown) = (r#"["ops",null,"a, b"]"#, "ops, -, a, b");
    let element = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let list_as =
        |data_type: DataType| Case { array: cast(&groups(), &data_type).unwrap(), ..case(groups(), json, json, shown) };
    let mut empty = ListBuilder::new(StringBuilder::new());
    empty.append_value([None::<&str>; 0]);
    empty.append_null();
    let mut lists = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
    lists.values().append_value([Some(1), Some(2)]);
    lists.values().append_value([None::<i32>; 0]);
    lists.append(true);
    lists.append(false);
    let pairs = [Some([Some(0.5), None]), None];
    let pairs = FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(pairs, 2);
    vec![
        case(groups(), json, json, shown),
        list_as(DataType::LargeList(element.clone())),
        list_as(DataType::ListView(element.clone())),
        list_as(DataType::LargeListView(element)),
        case(empty.finish(), "[]", "[]", "-"),
        case(lists.finish(), "[[1,2],[]]", "[[1,2],[]]", "[1, 2], []"),
        case(pairs, "[0.5,null]", "[0.5,null]", "0.5, -"),
    ]
}

pub(crate) fn records() -> Vec<Case> {
    let record = r#"{"time":"2026-11-21T20:37:38.239247Z","name":"a\u001b","groups":["ops",null,"a, b"]}"#;
    vec![
        same(structs(), record),
        same(maps(), r#"{"b":1,"a\"":null}"#),
        same(numbered_maps(), r#"{"403":"denied"}"#),
        same(filled(UnionBuilder::new_dense()), "403"),
        same(filled(UnionBuilder::new_sparse()), "403"),
    ]
}

fn structs() -> StructArray {
    let fields = Fields::from(vec![
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new("name", DataType::Utf8, true),
        Field::new("groups", groups().data_type().clone(), true),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(TimestampMicrosecondArray::from(vec![Some(MICROS), None])),
        Arc::new(StringArray::from(vec![Some("a\x1b"), None])),
        Arc::new(groups()),
    ];
    StructArray::new(fields, arrays, Some(vec![true, false].into()))
}

fn maps() -> MapArray {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.keys().append_value("b");
    maps.values().append_value(1);
    maps.keys().append_value("a\"");
    maps.values().append_null();
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    maps.finish()
}

fn numbered_maps() -> MapArray {
    let mut maps = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    maps.keys().append_value(403);
    maps.values().append_value("denied");
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    maps.finish()
}

fn filled(mut union: UnionBuilder) -> UnionArray {
    union.append::<Int32Type>("code", 403).unwrap();
    union.append_null::<Float64Type>("share").unwrap();
    union.build().unwrap()
}
