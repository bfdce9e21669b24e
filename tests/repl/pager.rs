//! Answers that are longer than the screen.

use crate::house::House;
use crate::terminal::{READS, Terminal};

#[test]
fn long_answers_go_through_a_pager() {
    let house = House::hardened();
    // Where no program can be found there is one that is built in, which goes back and searches as well.
    let mut command = house.command();
    command.env("PATH", "/nonexistent").env_remove("PAGER");
    let mut terminal = Terminal::start(&command);
    let shown = terminal.line("SELECT line_number FROM events ORDER BY line_number LIMIT 500;", "q: leave");
    assert!(!shown.contains("500 rows"), "{shown}");
    terminal.type_in(" ");
    terminal.until("q: leave");
    terminal.type_in("q");
    terminal.until("500 rows");
    terminal.until(READS);
    // Leaving it early loses nothing.
    let shown = terminal.ask("SELECT 'rows=' || count(*) AS n FROM last;", "1 row");
    assert!(shown.contains("rows=500"), "{shown}");
    terminal.leave();

    // A pager of the user's own.
    let mut command = house.command();
    command.env("PAGER", "grep -c . ; echo own pager");
    let mut terminal = Terminal::start(&command);
    terminal.line("SELECT line_number FROM events ORDER BY line_number LIMIT 500;", "502");
    terminal.until("own pager");
    terminal.until(READS);
    terminal.leave();
}
