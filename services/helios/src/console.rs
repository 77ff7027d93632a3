//! Where a command tells and asks.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::{Environment, Failure};

/// Where a command tells what it has to say, and asks what it must know.
///
/// Results go to the output, and everything else to the error output. What cannot be written is remembered
/// and told once at the end.
pub struct Console {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    input: Box<dyn BufRead>,
    colour: bool,
    live: bool,
    /// Whether a line stands on the terminal that is to be written over.
    unfinished: bool,
    /// Whether the screen is the command's own.
    screen: bool,
    broken: Option<io::Error>,
}

/// What a part of the output means, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing particular.
    Plain,
    /// A heading.
    Heading,
    /// As it should be.
    Good,
    /// On its way, or not wanted to be more.
    Pending,
    /// Not as it should be.
    Bad,
    /// Of little interest.
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Good => colour(AnsiColor::Green),
            Self::Pending => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

impl Console {
    /// That of this process; with colours if its output is a terminal that wants them.
    #[must_use]
    pub fn of_process(environment: &Environment) -> Self {
        let live = io::stdout().is_terminal() && environment.variable("TERM") != Some("dumb");
        Self {
            out: Box::new(BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            // Not locked: a job file may be read from it, too.
            input: Box::new(BufReader::new(io::stdin())),
            colour: live && environment.variable("NO_COLOR").is_none(),
            live,
            unfinished: false,
            screen: false,
            broken: None,
        }
    }

    /// Says a line of the result.
    pub fn say(&mut self, line: impl Display) {
        self.clear();
        let written = writeln!(self.out, "{line}");
        self.note(written);
    }

    /// Passes on a piece of what somebody else wrote, as it is and at once.
    pub fn pass_on(&mut self, piece: &[u8]) {
        let written = self.out.write_all(piece).and_then(|()| self.out.flush());
        self.note(written);
    }

    /// Says something that is not the result: progress, a warning.
    pub fn mention(&mut self, line: impl Display) {
        self.clear();
        self.flush();
        let written = writeln!(self.err, "{line}");
        self.note(written);
    }

    /// Shows how far something is, over what was shown before and as far as it fits a line; nothing where lines
    /// cannot be written over.
    pub fn progress(&mut self, text: Option<&str>) {
        self.clear();
        if let Some(text) = text.filter(|_| self.live) {
            let text = self.toned(text, Tone::Faint);
            // A terminal that broke the line could not write over all of it.
            let written = write!(self.out, "\x1b[?7l{text}\x1b[?7h");
            self.note(written);
            self.unfinished = true;
        }
        self.flush();
    }

    /// Shows these lines in place of what the screen showed; where the output is no terminal, after what was said
    /// before.
    pub fn show_screen(&mut self, lines: &[String]) {
        if !self.live {
            for line in lines {
                self.say(line);
            }
            return self.flush();
        }
        let rows = rows();
        // The cursor stays in the last line.
        let fit = if lines.len() < rows {
            lines.len()
        } else {
            rows.saturating_sub(2)
        };
        let begin = if self.screen { "" } else { "\x1b[2J" };
        let mut text = format!("{begin}\x1b[H\x1b[?7l");
        for line in lines.iter().take(fit) {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        if fit < lines.len() {
            text.push_str(&format!("… and {} more lines\x1b[K\n", lines.len() - fit));
        }
        let written = write!(self.out, "{text}\x1b[J\x1b[?7h");
        self.screen = true;
        self.note(written);
        self.flush();
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            let written = write!(self.out, "\r\x1b[2K");
            self.note(written);
        }
    }

    /// Says why the command cannot go on, and what to do next.
    pub fn complain(&mut self, failure: &Failure) {
        let error = self.toned("error:", Tone::Bad);
        self.mention(format_args!("{error} {failure}"));
        if let Some(advice) = failure.advice() {
            let next = self.toned("next:", Tone::Heading);
            self.mention(format_args!("{next} {advice}"));
        }
    }

    /// Asks for a yes; anything else is a no.
    ///
    /// # Errors
    /// [`Failure`] when there is nobody to ask.
    pub fn confirm(&mut self, what: impl Display) -> Result<bool, Failure> {
        self.mention(format_args!("{what}\nDo you want to continue? [y/N]"));
        let mut line = String::new();
        let nobody = || {
            Failure::new("nobody answers whether to continue")
                .advise("say --yes to go on without being asked")
        };
        match self.input.read_line(&mut line) {
            Ok(0) => Err(nobody()),
            Ok(_) => Ok(line.trim_start().to_lowercase().starts_with('y')),
            Err(error) => Err(nobody().caused_by(error)),
        }
    }

    /// That text in the colour of its meaning, if there are colours.
    #[must_use]
    pub fn toned(&self, text: &str, tone: Tone) -> String {
        if self.colour && tone != Tone::Plain && !text.is_empty() {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Whether the output is a terminal, where lines can be written over.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether nobody reads the output any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.broken.is_some()
    }

    /// Hands over what has been said so far.
    pub fn flush(&mut self) {
        let flushed = self.out.flush();
        self.note(flushed);
    }

    /// Why the output could not be written, unless its reader had just seen enough.
    #[must_use]
    pub fn what_broke(&self) -> Option<&io::Error> {
        let broken = self.broken.as_ref();
        broken.filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.broken.get_or_insert(error);
        }
    }
}

/// The rows of the terminal; the usual ones if it does not say.
fn rows() -> usize {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 => size.ws_row.into(),
        _ => 24,
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console")
            .field("colour", &self.colour)
            .field("live", &self.live)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written, by whomever.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn console(live: bool) -> (Console, Paper) {
        let paper = Paper::default();
        let console = Console {
            out: Box::new(paper.clone()),
            err: Box::new(paper.clone()),
            input: Box::new(io::empty()),
            colour: false,
            live,
            unfinished: false,
            screen: false,
            broken: None,
        };
        (console, paper)
    }

    fn written(paper: &Paper) -> String {
        String::from_utf8(std::mem::take(&mut *paper.0.lock().unwrap())).unwrap()
    }

    #[test]
    fn a_pipe_gets_plain_lines_only() {
        let (mut console, paper) = console(false);
        console.progress(Some("half"));
        console.say("n1: RUNNING");
        console.progress(None);
        for _ in 0..2 {
            console.show_screen(&["a".to_owned(), "b".to_owned()]);
        }
        assert_eq!(written(&paper), "n1: RUNNING\na\nb\na\nb\n");
    }

    #[test]
    fn a_screen_is_written_over() {
        let (mut console, paper) = console(true);
        console.show_screen(&["a".to_owned()]);
        assert_eq!(
            written(&paper),
            "\x1b[2J\x1b[H\x1b[?7la\x1b[K\n\x1b[J\x1b[?7h"
        );
        console.show_screen(&vec![String::new(); 1_000]);
        let text = written(&paper);
        assert!(text.starts_with("\x1b[H\x1b[?7l\x1b[K\n"), "{text:?}");
        assert!(text.contains(" more lines"), "{text:?}");
    }
}
