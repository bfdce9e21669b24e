//! Avro's object container files: a schema, and blocks of records that only it tells how to read.

use std::collections::HashMap;
use std::io::Read;

use serde_json::Value;

use super::tables::text;

/// Schemas in schemas that are followed.
const MAX_DEPTH: usize = 60;

/// Longest block, unpacked, in bytes.
const MAX_BLOCK_BYTES: u64 = 256 * 1024 * 1024;

/// Items of a map or list that take no bytes: more of them are no file that anybody wrote.
const MAX_EMPTY_ITEMS: i64 = 100_000;

/// Lines of JSON, one for a record, a block at a time.
type Lines = Box<dyn Iterator<Item = Result<String, String>> + Send>;

/// The records of a file as lines of JSON.
pub(super) fn lines(bytes: Vec<u8>) -> Result<Lines, String> {
    let mut cursor = Cursor { bytes: &bytes, at: 4 };
    let (mut schema, mut codec) = (None, "null".to_owned());
    loop {
        let count = cursor.count()?;
        if count == 0 {
            break;
        }
        for _ in 0..count {
            let name = cursor.bytes()?.to_vec();
            let value = cursor.bytes()?;
            match name.as_slice() {
                b"avro.schema" => schema = serde_json::from_slice::<Value>(value).ok(),
                b"avro.codec" => codec = String::from_utf8_lossy(value).into_owned(),
                _ => (),
            }
        }
    }
    let schema = schema.ok_or("it has no schema")?;
    if !matches!(codec.as_str(), "null" | "deflate" | "zstandard") {
        return Err(format!("its blocks are packed with `{codec}`"));
    }
    let mut names = HashMap::new();
    names_of(&schema, &mut names, 0);
    let at = cursor.skip(16)?;
    let mut file = File { bytes, at, schema, names, codec };
    Ok(Box::new(std::iter::from_fn(move || file.block().transpose())))
}

struct File {
    bytes: Vec<u8>,
    at: usize,
    schema: Value,
    /// Schemas by the names that others refer to them with.
    names: HashMap<String, Value>,
    codec: String,
}

impl File {
    /// The records of the next block.
    fn block(&mut self) -> Result<Option<String>, String> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let mut cursor = Cursor { bytes: &self.bytes, at: self.at };
        // What cannot be read on is told once.
        self.at = self.bytes.len();
        let records = cursor.long()?;
        let packed = cursor.bytes()?;
        let unpacked = unpack(packed, &self.codec)?;
        let end = cursor.skip(16)?;
        let mut out = String::new();
        let mut block = Cursor { bytes: &unpacked, at: 0 };
        for _ in 0..records {
            if block.at >= unpacked.len() {
                return Err("a block ends early".to_owned());
            }
            self.value(&self.schema, &mut block, 0, &mut out)?;
            out.push('\n');
        }
        self.at = end;
        Ok(Some(out))
    }

    /// Writes a value as JSON.
    fn value(&self, schema: &Value, from: &mut Cursor<'_>, depth: usize, out: &mut String) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("its schema is nested too deep".to_owned());
        }
        match schema {
            Value::Array(union) => {
                let chosen = usize::try_from(from.long()?).ok().and_then(|chosen| union.get(chosen));
                return self.value(chosen.ok_or("a value is of no known type")?, from, depth + 1, out);
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => return self.complex(kind, object, from, depth, out),
                Some(inner) => return self.value(inner, from, depth + 1, out),
                None => return Err("its schema names no type".to_owned()),
            },
            _ => (),
        }
        let kind = schema.as_str().unwrap_or_default();
        match kind {
            "null" => out.push_str("null"),
            "boolean" => out.push_str(if from.byte()? == 0 { "false" } else { "true" }),
            "int" | "long" => out.push_str(&from.long()?.to_string()),
            "float" => {
                let bytes: [u8; 4] = from.take(4)?.try_into().unwrap_or_default();
                out.push_str(&Value::from(f64::from(f32::from_le_bytes(bytes))).to_string());
            }
            "double" => {
                let bytes: [u8; 8] = from.take(8)?.try_into().unwrap_or_default();
                out.push_str(&Value::from(f64::from_le_bytes(bytes)).to_string());
            }
            "bytes" | "string" => text(&String::from_utf8_lossy(from.bytes()?), out),
            name => {
                let named = self.names.get(name).ok_or_else(|| format!("its schema has no type `{name}`"))?;
                return self.value(named, from, depth + 1, out);
            }
        }
        Ok(())
    }

    /// Writes a value of a type that has parts.
    fn complex(
        &self,
        kind: &str,
        schema: &serde_json::Map<String, Value>,
        from: &mut Cursor<'_>,
        depth: usize,
        out: &mut String,
    ) -> Result<(), String> {
        let part = |name: &str| schema.get(name).ok_or_else(|| format!("its schema lacks `{name}`"));
        match kind {
            "record" | "error" => {
                out.push('{');
                for (number, field) in part("fields")?.as_array().into_iter().flatten().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    text(field["name"].as_str().unwrap_or_default(), out);
                    out.push(':');
                    self.value(&field["type"], from, depth + 1, out)?;
                }
                out.push('}');
            }
            "enum" => {
                let chosen = usize::try_from(from.long()?).ok();
                let symbol = chosen.and_then(|chosen| part("symbols").ok()?.get(chosen)?.as_str());
                text(symbol.unwrap_or_default(), out);
            }
            "fixed" => {
                let size = part("size")?.as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
                text(&String::from_utf8_lossy(from.take(size)?), out);
            }
            "array" | "map" => {
                let is_map = kind == "map";
                let inner = part(if is_map { "values" } else { "items" })?;
                out.push(if is_map { '{' } else { '[' });
                let mut first = true;
                loop {
                    let (count, start) = (from.count()?, from.at);
                    if count == 0 {
                        break;
                    }
                    for number in 0..count {
                        if from.at == start && number > MAX_EMPTY_ITEMS {
                            return Err("a list of nothing".to_owned());
                        }
                        if !std::mem::take(&mut first) {
                            out.push(',');
                        }
                        if is_map {
                            text(&String::from_utf8_lossy(from.bytes()?), out);
                            out.push(':');
                        }
                        self.value(inner, from, depth + 1, out)?;
                    }
                }
                out.push(if is_map { '}' } else { ']' });
            }
            simple => return self.value(&Value::String(simple.to_owned()), from, depth + 1, out),
        }
        Ok(())
    }
}

/// Collects the types of a schema that have names.
fn names_of(schema: &Value, names: &mut HashMap<String, Value>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match schema {
        Value::Array(parts) => parts.iter().for_each(|part| names_of(part, names, depth + 1)),
        Value::Object(object) => {
            if let Some(name) = object.get("name").and_then(Value::as_str).filter(|_| object.contains_key("type")) {
                let space = object.get("namespace").and_then(Value::as_str);
                names.insert(name.to_owned(), schema.clone());
                names.extend(space.map(|space| (format!("{space}.{name}"), schema.clone())));
            }
            for inner in ["type", "items", "values"].iter().filter_map(|name| object.get(*name)) {
                names_of(inner, names, depth + 1);
            }
            for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                names_of(&field["type"], names, depth + 1);
            }
        }
        _ => (),
    }
}

fn unpack(packed: &[u8], codec: &str) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let read = match codec {
        "deflate" => flate2::read::DeflateDecoder::new(packed).take(MAX_BLOCK_BYTES).read_to_end(&mut unpacked),
        "zstandard" => zstd::stream::read::Decoder::new(packed)
            .and_then(|decoder| decoder.take(MAX_BLOCK_BYTES).read_to_end(&mut unpacked)),
        _ => return Ok(packed.to_vec()),
    };
    match read {
        Ok(length) if (length as u64) < MAX_BLOCK_BYTES => Ok(unpacked),
        Ok(_) => Err("a block is too long".to_owned()),
        Err(error) => Err(format!("a block cannot be unpacked: {error}")),
    }
}

/// A place in bytes.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or("it ends early")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// Reads over bytes; where it is then.
    fn skip(&mut self, length: usize) -> Result<usize, String> {
        self.take(length)?;
        Ok(self.at)
    }

    /// A number in groups of seven bits, its sign in the lowest.
    fn long(&mut self) -> Result<i64, String> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        Err("a number has too many digits".to_owned())
    }

    /// The number of items of the next part of a list. A negative one is followed by the length of the part.
    fn count(&mut self) -> Result<i64, String> {
        match self.long()? {
            count if count < 0 => {
                self.long()?;
                count.checked_neg().ok_or_else(|| "a list has too many items".to_owned())
            }
            count => Ok(count),
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], String> {
        let length = usize::try_from(self.long()?).map_err(|_| "a text has a negative length".to_owned())?;
        self.take(length)
    }
}
