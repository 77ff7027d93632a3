//! Weaves small mistakes into a copy of the sources, so that one build has all of them and the variable MUTANT switches one
//! on. `cargo mutants --list --json` says which there are; those with which nothing compiles are left out.
//!
//! usage: helios-mutants LIST TREE PACKAGE
//!
//! Changes the sources of the directory PACKAGE in TREE, a copy of the repository, and prints a line for each mutant that
//! compiles: its number, a tab, and its name.

mod mutant;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mutant::Mutant;
use site::{Insertion, Sites};

/// What a compiler that is shown mistakes must not mind.
const LENIENT: &str = "#![allow(warnings, arithmetic_overflow, unconditional_panic)]\n";

/// What every woven expression asks.
const SWITCH: &str = r#"
#[doc(hidden)]
pub(crate) fn mutated(number: u32) -> bool {
    static ON: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let on = ON.get_or_init(|| {
        let on = std::env::var("MUTANT").ok().and_then(|on| on.parse().ok()).unwrap_or(0);
        if on != 0 {
            // One failure is enough.
            std::panic::set_hook(Box::new(|why| {
                eprintln!("{why}");
                std::process::exit(101)
            }));
        }
        on
    });
    *on == number
}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut arg = || args.next().ok_or("usage: helios-mutants LIST TREE PACKAGE");
    let (list, tree, package) = (arg()?, PathBuf::from(arg()?), arg()?);
    let mutants: Vec<Mutant> = serde_json::from_str(&fs::read_to_string(list)?)?;
    let mut of_file: BTreeMap<&str, Vec<(u32, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in (1..).zip(&mutants) {
        of_file
            .entry(&mutant.file)
            .or_default()
            .push((number, mutant));
    }
    let mut sites = BTreeMap::new();
    for (file, mutants) in of_file {
        let source = fs::read_to_string(tree.join(file))?;
        sites.insert(file, Sites::find(source, &mutants)?);
    }
    let library = tree.join(&package).join("src/lib.rs");
    let plain = fs::read_to_string(&library)?;
    fs::write(&library, format!("{LENIENT}{plain}{SWITCH}"))?;
    loop {
        let mut woven = BTreeMap::new();
        for (file, sites) in &sites {
            let (text, places) = sites.weave();
            fs::write(tree.join(file), text)?;
            woven.insert(*file, places);
        }
        let wrong = wrong(&tree, &package, &woven)?;
        if wrong.is_empty() {
            break;
        }
        eprintln!("{} mutants do not compile", wrong.len());
        for sites in sites.values_mut() {
            sites.leave_out(&wrong);
        }
    }
    for number in sites
        .values()
        .flat_map(Sites::numbers)
        .collect::<BTreeSet<_>>()
    {
        let mutant = mutants.get(number as usize - 1).ok_or("no such mutant")?;
        println!("{number}\t{}", mutant.name);
    }
    Ok(())
}

/// The mutants that the compiler's errors are about.
fn wrong(
    tree: &Path,
    package: &str,
    woven: &BTreeMap<&str, Vec<Insertion>>,
) -> Result<BTreeSet<u32>, Box<dyn Error>> {
    let check = Command::new("cargo")
        .args([
            "check",
            "--quiet",
            "--message-format",
            "json",
            "--package",
            package,
        ])
        .current_dir(tree)
        .output()?;
    let (mut wrong, mut unclear) = (BTreeSet::new(), Vec::new());
    for line in String::from_utf8(check.stdout)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let message = &line["message"];
        if line["reason"] != "compiler-message" || message["level"] != "error" {
            continue;
        }
        let found = mutant::spans(message)
            .into_iter()
            .flat_map(|(file, from, to)| {
                let all = woven.get(file.as_str()).into_iter().flatten();
                // What is wrong is within a mutant, or else a whole expression that has some.
                let within: BTreeSet<u32> = all
                    .clone()
                    .filter(|at| at.from <= from && to <= at.to)
                    .map(|at| at.number)
                    .collect();
                let around = all
                    .filter(|at| from <= at.from && at.to <= to)
                    .map(|at| at.number);
                if within.is_empty() {
                    around.collect()
                } else {
                    within
                }
            });
        let found: Vec<u32> = found.collect();
        if found.is_empty()
            && message["spans"]
                .as_array()
                .is_some_and(|spans| !spans.is_empty())
        {
            unclear.push(message["rendered"].as_str().unwrap_or_default().to_owned());
        }
        wrong.extend(found);
    }
    if wrong.is_empty() && !check.status.success() {
        unclear.push(String::from_utf8_lossy(&check.stderr).into_owned());
        return Err(unclear.concat().into());
    }
    Ok(wrong)
}
