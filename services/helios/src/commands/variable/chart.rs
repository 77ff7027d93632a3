//! `helios variable chart`: how many hosts hold what over time.

use std::path::Path;

use helios_core::Timestamp;
use helios_rollout::drive::{Course, Sample};
use plotters::prelude::*;

use super::unknown;
use crate::args::ChartArgs;
use crate::commands::Call;
use crate::console::Tone;
use crate::output::{counted, local_time};
use crate::{Console, Failure, Outcome};

/// Rows and columns of a chart in the terminal.
const ROWS: u64 = 10;
const COLUMNS: i64 = 72;
/// What values are drawn with, in order, in the terminal and in colours.
const MARKS: [char; 6] = ['.', '#', 'o', '+', 'x', '%'];
const COLOURS: [RGBColor; 6] = [
    RGBColor(203, 213, 225),
    RGBColor(37, 99, 235),
    RGBColor(16, 185, 129),
    RGBColor(245, 158, 11),
    RGBColor(139, 92, 246),
    RGBColor(239, 68, 68),
];

pub(super) async fn run(args: &ChartArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let course = call.client.course(&args.name).await?;
    let course = course.ok_or_else(|| unknown(&args.name))?;
    if call.json {
        call.say_document(&course)?;
        return Ok(Outcome::Done);
    }
    if course.planned.is_empty() {
        let message = format!("variable {} has had no rollout", args.name);
        return Err(Failure::new(message).advise("`helios variable rollout` starts one"));
    }
    match &args.out {
        Some(path) => {
            svg(&args.name, &course, path).map_err(|error| {
                Failure::new(format!("{} cannot be drawn", path.display())).caused_by(error)
            })?;
            call.console.say(format_args!("drawn: {}", path.display()));
        }
        None => in_terminal(&course, call.now, call.console),
    }
    Ok(Outcome::Done)
}

/// Planned and, once there is something to show, actual.
pub(super) fn in_terminal(course: &Course, now: Timestamp, console: &mut Console) {
    let (Some(first), Some(last)) = (course.planned.first(), course.planned.last()) else {
        return;
    };
    let span = (
        first.at,
        last.at
            .max(course.actual.last().map_or(last.at, |last| last.at)),
    );
    block("planned", &course.planned, span, None, console);
    if !course.actual.is_empty() {
        block("actual", &course.actual, span, Some(now), console);
    }
    let legend = course.values.iter().zip(MARKS.iter().cycle());
    let legend: Vec<String> = legend
        .map(|(value, mark)| format!("{mark} {value}"))
        .collect();
    let line = format!(
        "{} to {}    {}",
        local_time(span.0),
        local_time(span.1),
        legend.join("  ")
    );
    console.say(line);
}

fn block(
    title: &str,
    samples: &[Sample],
    (from, until): (Timestamp, Timestamp),
    now: Option<Timestamp>,
    console: &mut Console,
) {
    let length = (until.as_millis() - from.as_millis()).max(1);
    let time = |column: i64| from.as_millis() + length * column / (COLUMNS - 1);
    let total: u64 = samples
        .iter()
        .map(|sample| sample.hosts.iter().sum())
        .max()
        .unwrap_or(0);
    console.say(console.toned(
        &format!("{title}, {}", counted(total, "host", "s")),
        Tone::Heading,
    ));
    for row in (0..ROWS).rev() {
        let height = (2 * row + 1) * total;
        let line: String = (0..COLUMNS)
            .map(|column| {
                let at = time(column);
                if now.is_some_and(|now| now.as_millis() < at) {
                    return ' ';
                }
                let later = samples.partition_point(|sample| sample.at.as_millis() <= at);
                let sample = samples.get(later.saturating_sub(1));
                sample.map_or(' ', |sample| mark(&sample.hosts, height))
            })
            .collect();
        console.say(format_args!("|{}", line.trim_end()));
    }
    console.say(format_args!(
        "+{}",
        "-".repeat(usize::try_from(COLUMNS).unwrap_or(0))
    ));
}

/// The mark of the value that is stacked at `height`, in `2 * ROWS`-ths of a host; the last value lies lowest.
fn mark(hosts: &[u64], height: u64) -> char {
    let mut sum = 0;
    for (index, count) in hosts.iter().enumerate().rev() {
        sum += count;
        if sum * 2 * ROWS > height {
            return MARKS.get(index % MARKS.len()).copied().unwrap_or('#');
        }
    }
    ' '
}

/// Actual counts as stacked areas, planned ones as lines over them.
fn svg(
    name: &str,
    course: &Course,
    path: &Path,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let text = svg_text(name, course).map_err(|error| error.to_string())?;
    std::fs::write(path, text)?;
    Ok(())
}

fn svg_text(name: &str, course: &Course) -> Result<String, Box<dyn std::error::Error>> {
    let mut text = String::new();
    let all = || course.planned.iter().chain(&course.actual);
    let from = all().map(|sample| sample.at.as_millis()).min().unwrap_or(0);
    let until = all()
        .map(|sample| sample.at.as_millis())
        .max()
        .unwrap_or(0)
        .max(from + 1);
    let total = all()
        .map(|sample| sample.hosts.iter().sum::<u64>())
        .max()
        .unwrap_or(0)
        .max(1);
    {
        let root = SVGBackend::with_string(&mut text, (960, 440)).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(format!("{name}: hosts by value"), ("sans-serif", 20))
            .margin(16)
            .x_label_area_size(32)
            .y_label_area_size(56)
            .build_cartesian_2d(from..until, 0..total)?;
        let label = |at: &i64| short_time(*at, until - from);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(8)
            .x_label_formatter(&label)
            .y_desc("hosts")
            .draw()?;
        for (index, value) in course.values.iter().enumerate().rev() {
            let colour = COLOURS.get(index % COLOURS.len()).copied().unwrap_or(BLACK);
            let area = Polygon::new(outline(&course.actual, index), colour.filled());
            chart
                .draw_series(std::iter::once(area))?
                .label(format!("{value}"))
                .legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled())
                });
        }
        for index in 1..course.values.len() {
            let line = course.planned.iter();
            let line = line.map(|sample| (sample.at.as_millis(), above(&sample.hosts, index)));
            let series = chart.draw_series(LineSeries::new(line, BLACK.stroke_width(2)))?;
            if index == 1 {
                series.label("planned").legend(|(x, y)| {
                    PathElement::new([(x, y), (x + 12, y)], BLACK.stroke_width(2))
                });
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.85))
            .border_style(TRANSPARENT)
            .draw()?;
        root.present()?;
    }
    Ok(text)
}

/// Hosts that hold the value of that index or a later one: later values are stacked below.
fn above(hosts: &[u64], index: usize) -> u64 {
    hosts.iter().skip(index).sum()
}

/// The area of one value in the stack, in steps: counts change at points in time.
fn outline(samples: &[Sample], index: usize) -> Vec<(i64, u64)> {
    let upper = stepped(samples, index);
    let mut outline = stepped(samples, index + 1);
    outline.reverse();
    upper.into_iter().chain(outline).collect()
}

fn stepped(samples: &[Sample], index: usize) -> Vec<(i64, u64)> {
    let mut points: Vec<(i64, u64)> = Vec::new();
    for sample in samples {
        let (at, count) = (sample.at.as_millis(), above(&sample.hosts, index));
        if let Some((_, before)) = points.last().copied() {
            points.push((at, before));
        }
        points.push((at, count));
    }
    points
}

fn short_time(at: i64, span: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    let format = match span {
        0..=600_000 => "%H:%M:%S",
        600_001..=172_800_000 => "%H:%M",
        _ => "%b %d",
    };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course() -> Course {
        let sample = |at: i64, new: u64| Sample {
            at: Timestamp::from_millis(at * 1_000),
            hosts: vec![100 - new, new],
        };
        Course {
            values: vec!["26".into(), "27".into()],
            planned: (0..=100)
                .map(|second| sample(second, second as u64))
                .collect(),
            actual: vec![sample(0, 0), sample(10, 8), sample(50, 50)],
        }
    }

    #[test]
    fn the_new_value_grows_from_below() {
        let at = |new: u64, row: u64| mark(&[100 - new, new], (2 * row + 1) * 100);
        assert_eq!([at(0, 0), at(100, 9)], ['.', '#']);
        let column: String = (0..ROWS).map(|row| at(50, row)).collect();
        assert_eq!(column, "#####.....");
    }

    #[test]
    fn the_picture_has_an_area_for_each_value_and_the_plan_as_a_line() {
        let text = svg_text("docker", &course()).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        assert_eq!(text.matches("<polygon").count(), 2);
        assert!(text.contains("docker: hosts by value") && text.contains("planned"));
    }

    #[test]
    fn a_course_that_never_moved_can_be_drawn() {
        let mut course = course();
        course.actual.clear();
        course.planned.truncate(1);
        assert!(svg_text("docker", &course).is_ok());
    }
}
