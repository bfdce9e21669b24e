use crate::fixture::Fixture;
#[test]
fn dump() {
    let groups = std::fs::read_to_string("/tmp/kq/groups.txt").unwrap();
    for (n, line) in groups.lines().enumerate() {
        let logs: Vec<Vec<u8>> = line.split(' ').map(|p| { let b = std::fs::read(p).unwrap(); if b.starts_with(b"\x1f\x8b") { let mut t = Vec::new(); std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&b[..]), &mut t).unwrap(); t } else { b } }).collect();
        let case = Fixture::of_texts(&logs.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for q in ["secret-reads", "rbac-changes", "failed-auth"] {
            let out: String = case.ask(q, &[]).iter().map(|r| format!("{r}\n")).collect();
            std::fs::write(format!("/tmp/kq/out/{n}-{q}.jsonl"), out).unwrap();
        }
    }
}
