//! Aligned columns.

use unicode_width::UnicodeWidthStr;

use crate::Console;
use crate::console::Tone;

/// The blanks between two columns.
const GAP: usize = 3;
/// The widest cell on a terminal, in columns; in a pipe nothing is cut.
const LIVE_WIDTH_MAX: usize = 60;

/// Rows of cells under a row of headings, with columns as wide as their widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A text and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Plain,
        }
    }

    pub(crate) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        let heading = |text: &&str| Cell::new(*text).tone(Tone::Heading);
        Self {
            rows: vec![headings.iter().map(heading).collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Says the table, line by line.
    pub(crate) fn say(mut self, console: &mut Console) {
        if console.is_live() {
            for cell in self.rows.iter_mut().flatten() {
                cell.text = cut(&cell.text, LIVE_WIDTH_MAX);
            }
        }
        let widths = self.widths();
        for row in &self.rows {
            console.say(line(row, &widths, console).trim_end());
        }
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.text.width().max(*width);
            }
        }
        widths
    }
}

fn line(row: &[Cell], widths: &[usize], console: &Console) -> String {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        let fill = width.saturating_sub(cell.text.width()) + GAP;
        line.push_str(&console.toned(&cell.text, cell.tone));
        line.extend(std::iter::repeat_n(' ', fill));
    }
    line
}

/// The text, or its beginning with an ellipsis if it is wider than that.
fn cut(text: &str, width_max: usize) -> String {
    if text.width() <= width_max {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if kept.width() >= width_max {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_is_too_wide_ends_in_an_ellipsis() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("漢字漢字", 6), "漢字…");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["A", "LONG"]);
        table.row(["漢字".into(), "x".into()]);
        assert_eq!(table.widths(), [4, 4]);
    }
}
