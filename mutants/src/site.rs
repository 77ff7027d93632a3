//! Where the mutants of one file are, and its text with all of them.

use std::collections::BTreeSet;
use std::error::Error;
use std::ops::Range;

use proc_macro2::LineColumn;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, BinOp, Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary, Pat};

use crate::mutant::{Mutant, Position};

/// A file, and where its mutants are.
pub struct Sites {
    source: String,
    sites: Vec<Site>,
}

/// One mutant: what stands before and behind the text that it is about.
struct Site {
    number: u32,
    about: Range<usize>,
    before: String,
    behind: String,
}

/// Where a mutant is in the text that has all of them.
pub struct Insertion {
    pub number: u32,
    pub from: usize,
    pub to: usize,
}

impl Sites {
    pub fn find(source: String, mutants: &[(u32, &Mutant)]) -> Result<Self, Box<dyn Error>> {
        let file = syn::parse_file(&source)?;
        let mut finder = Finder {
            text: Text::new(&source),
            mutants,
            sites: Vec::new(),
        };
        finder.visit_file(&file);
        finder.functions();
        let sites = finder.sites;
        Ok(Self { source, sites })
    }

    /// The mutants that are here.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.sites.iter().map(|site| site.number)
    }

    pub fn leave_out(&mut self, wrong: &BTreeSet<u32>) {
        self.sites.retain(|site| !wrong.contains(&site.number));
    }

    /// The text with all mutants, and where they are in it.
    pub fn weave(&self) -> (String, Vec<Insertion>) {
        // At one place ends come first, the inner ones before the outer ones; beginnings the other way round.
        let mut pieces = Vec::new();
        for site in &self.sites {
            let length = site.about.len();
            let (outer, inner) = (usize::MAX - length, u32::MAX - site.number);
            pieces.push((
                site.about.start,
                1,
                outer,
                site.number,
                &site.before,
                site.number,
            ));
            pieces.push((site.about.end, 0, length, inner, &site.behind, site.number));
        }
        pieces.sort();
        let (mut text, mut copied, mut places) = (String::new(), 0, Vec::new());
        for (at, _, _, _, piece, number) in pieces {
            text.push_str(&self.source[copied..at]);
            copied = at;
            let from = text.len();
            text.push_str(piece);
            places.push(Insertion {
                number,
                from,
                to: text.len(),
            });
        }
        text.push_str(&self.source[copied..]);
        (text, places)
    }
}

/// A text, by lines and columns.
struct Text<'a> {
    source: &'a str,
    lines: Vec<usize>,
}

impl<'a> Text<'a> {
    fn new(source: &'a str) -> Self {
        let ends = source.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            source,
            lines: [0].into_iter().chain(ends).collect(),
        }
    }

    fn byte(&self, at: Position) -> usize {
        let line = self.lines[at.line - 1];
        let rest = &self.source[line..];
        line + rest
            .char_indices()
            .nth(at.column - 1)
            .map_or(rest.len(), |(byte, _)| byte)
    }

    fn range(&self, what: &impl Spanned) -> Range<usize> {
        let (start, end) = (what.span().start(), what.span().end());
        self.byte(position(start))..self.byte(position(end))
    }

    fn of(&self, what: &impl Spanned) -> &'a str {
        &self.source[self.range(what)]
    }
}

fn position(at: LineColumn) -> Position {
    Position {
        line: at.line,
        column: at.column + 1,
    }
}

struct Finder<'a> {
    text: Text<'a>,
    mutants: &'a [(u32, &'a Mutant)],
    sites: Vec<Site>,
}

impl<'a> Finder<'a> {
    /// The mutants of a kind that begin there.
    fn at(&self, genre: &str, what: &impl Spanned) -> Vec<(u32, &'a Mutant)> {
        let start = position(what.span().start());
        let here = |mutant: &Mutant| mutant.genre == genre && mutant.span.start == start;
        self.mutants
            .iter()
            .copied()
            .filter(|(_, mutant)| here(mutant))
            .collect()
    }

    /// Another value in the place of an expression.
    fn replace(&mut self, number: u32, about: Range<usize>, by: &str) {
        let before = format!("(if crate::mutated({number}) {{ {by} }} else {{ ");
        self.sites.push(Site {
            number,
            about,
            before,
            behind: " })".to_owned(),
        });
    }

    /// No arm of a match where there is one.
    fn missing(&mut self, arm: &Arm) {
        for (number, _) in self.at("MatchArm", arm) {
            let off = format!("!crate::mutated({number})");
            let (about, before, behind) = match &arm.guard {
                Some((_, guard)) => (
                    self.text.range(guard),
                    format!("{off} && ("),
                    ")".to_owned(),
                ),
                None => (
                    self.text.range(&arm.pat),
                    String::new(),
                    format!(" if {off}"),
                ),
            };
            self.sites.push(Site {
                number,
                about,
                before,
                behind,
            });
        }
    }

    /// Another value of a whole function.
    fn functions(&mut self) {
        for (number, mutant) in self.mutants.iter().copied() {
            // What yields an `impl Trait` yields one type only.
            let opaque = mutant
                .function
                .as_ref()
                .is_some_and(|of| of.return_type.contains("impl "));
            if mutant.genre == "FnValue" && !opaque {
                let start = self.text.byte(mutant.span.start);
                let before = format!(
                    "if crate::mutated({number}) {{ return {}; }} ",
                    mutant.replacement
                );
                let behind = String::new();
                self.sites.push(Site {
                    number,
                    about: start..start,
                    before,
                    behind,
                });
            }
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        visit::visit_expr_binary(self, binary);
        if matches!(binary.op, BinOp::And(_)) && (binds(&binary.left) || binds(&binary.right)) {
            return;
        }
        for (number, mutant) in self.at("BinaryOperator", &binary.op) {
            let (left, right) = (self.text.of(&binary.left), self.text.of(&binary.right));
            let by = format!("{left} {} {right}", mutant.replacement);
            self.replace(number, self.text.range(binary), &by);
        }
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        visit::visit_expr_unary(self, unary);
        for (number, _) in self.at("UnaryOperator", &unary.op) {
            self.replace(number, self.text.range(unary), self.text.of(&unary.expr));
        }
    }

    fn visit_expr_struct(&mut self, whole: &'ast ExprStruct) {
        visit::visit_expr_struct(self, whole);
        for field in &whole.fields {
            for (number, mutant) in self.at("StructField", field) {
                let about = self.text.range(whole);
                let from = self.text.byte(mutant.span.start);
                let to = self.text.byte(mutant.span.end);
                let (source, to) = (
                    self.text.source,
                    to + usize::from(self.text.source[to..].starts_with(',')),
                );
                let by = format!("{}{}", &source[about.start..from], &source[to..about.end]);
                self.replace(number, about, &by);
            }
        }
    }

    fn visit_expr_match(&mut self, whole: &'ast ExprMatch) {
        visit::visit_expr_match(self, whole);
        // Without an arm that takes whatever is left, none of the others can be missing.
        let rest = |arm: &Arm| matches!(arm.pat, Pat::Wild(_)) && arm.guard.is_none();
        if whole.arms.iter().any(rest) {
            for arm in &whole.arms {
                self.missing(arm);
            }
        }
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        visit::visit_arm(self, arm);
        if let Some((_, guard)) = &arm.guard {
            for (number, mutant) in self.at("MatchArmGuard", guard) {
                let about = self.text.range(guard);
                self.replace(number, about, &mutant.replacement);
            }
        }
    }
}

/// Whether an expression is a chain with `let`, which nothing may be put around.
fn binds(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
        _ => false,
    }
}
