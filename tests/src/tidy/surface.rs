//! What others can name: the public items of the library crates, read from their sources.
//!
//! The workspace denies `unreachable_pub`, so whatever is marked `pub` can be reached from outside.

use std::collections::{BTreeMap, BTreeSet};

use syn::spanned::Spanned;
use syn::{
    Attribute, Field, Fields, File, ImplItem, Item, ItemEnum, ItemImpl, ItemStruct, ItemTrait,
    TraitItem, UseTree, Visibility,
};

use crate::workspace::{files, read};

/// The public items of a crate.
#[derive(Default)]
pub(crate) struct Surface {
    /// One line for each, in order.
    pub(crate) lines: BTreeSet<String>,
    /// The crates whose types are in them, each with the lines.
    pub(crate) foreign: BTreeMap<String, BTreeSet<String>>,
}

impl Surface {
    /// That of the crate in this folder.
    pub(crate) fn of(folder: &str) -> Self {
        let mut surface = Self::default();
        let foreign = dependencies();
        let sources = format!("{folder}/src/");
        for path in files(&[".rs"]) {
            let Some(inner) = path.strip_prefix(&sources) else {
                continue;
            };
            let module = inner.trim_end_matches(".rs").replace('/', "::");
            if module.split("::").any(|part| part == "tests") {
                continue;
            }
            let module = module.trim_end_matches("::mod").trim_end_matches("lib");
            let file = syn::parse_file(&read(&path)).unwrap_or_else(|why| panic!("{path}: {why}"));
            let imported = imports(&file.items, &foreign);
            surface.items(&file, module, &imported);
        }
        surface
    }

    fn items(&mut self, file: &File, module: &str, imported: &BTreeMap<String, String>) {
        let types: BTreeSet<String> = file.items.iter().filter_map(public_type).collect();
        for item in file.items.iter().filter(|item| !is_test(item)) {
            for line in lines(item, &types) {
                for owner in owners(&line, imported) {
                    let of = self.foreign.entry(owner.clone()).or_default();
                    of.insert(format!("{module}: {line}"));
                }
                self.lines.insert(format!("{module}: {line}"));
            }
        }
    }
}

/// The names that a file imports of foreign crates, and of which.
fn imports(items: &[Item], foreign: &BTreeSet<String>) -> BTreeMap<String, String> {
    fn walk(tree: &UseTree, root: Option<&str>, found: &mut BTreeMap<String, String>) {
        let mut insert = |name: String| {
            if let Some(root) = root {
                found.insert(name, root.to_owned());
            }
        };
        match tree {
            UseTree::Path(path) => {
                let first = path.ident.to_string();
                walk(&path.tree, root.or(Some(&first)), found);
            }
            UseTree::Name(name) => insert(name.ident.to_string()),
            UseTree::Rename(name) => insert(name.rename.to_string()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    walk(tree, root, found);
                }
            }
            UseTree::Glob(_) => {}
        }
    }
    let mut found = BTreeMap::new();
    for item in items {
        if let Item::Use(item) = item {
            walk(&item.tree, None, &mut found);
        }
    }
    found.retain(|name, root| name != "self" && foreign.contains(root));
    found
}

/// The foreign crates that a line names.
fn owners<'a>(line: &str, imported: &'a BTreeMap<String, String>) -> BTreeSet<&'a String> {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter_map(|word| imported.get(word)).collect()
}

/// The crates that the workspace uses, without its own.
fn dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let listed = manifest.split("[workspace.dependencies]").nth(1);
    let lines = listed.into_iter().flat_map(str::lines);
    let names = lines.filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
    let foreign = names.filter(|name| !name.starts_with("helios"));
    foreign.map(|name| name.replace('-', "_")).collect()
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_test(item: &Item) -> bool {
    matches!(item, Item::Mod(module) if text(&module.attrs).contains("cfg(test)"))
}

fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    is_public(visibility).then(|| name.to_string())
}

/// As it is written, on one line.
fn source(node: &impl Spanned) -> String {
    let text = node.span().source_text().unwrap_or_default();
    let words: Vec<_> = text.split_whitespace().collect();
    words
        .join(" ")
        .replace("( ", "(")
        .replace(", )", ")")
        .replace(" )", ")")
}

fn text(attributes: &[Attribute]) -> String {
    attributes.iter().map(source).collect()
}

fn grows(attributes: &[Attribute]) -> &'static str {
    let is_open = text(attributes).contains("non_exhaustive");
    if is_open { " (may grow)" } else { "" }
}

fn shown(field: &Field) -> String {
    match &field.ident {
        Some(name) => format!("{name}: {}", source(&field.ty)),
        None => source(&field.ty),
    }
}

/// What an item adds to the surface. `types` are the public ones of its file.
fn lines(item: &Item, types: &BTreeSet<String>) -> Vec<String> {
    match item {
        Item::Fn(item) if is_public(&item.vis) => vec![source(&item.sig)],
        Item::Const(item) if is_public(&item.vis) => {
            vec![format!("const {}: {}", item.ident, source(&item.ty))]
        }
        Item::Type(item) if is_public(&item.vis) => {
            vec![format!("type {} = {}", item.ident, source(&item.ty))]
        }
        Item::Use(item) if is_public(&item.vis) => vec![format!("use {}", source(&item.tree))],
        Item::Mod(item) if is_public(&item.vis) => vec![format!("mod {}", item.ident)],
        Item::Struct(item) if is_public(&item.vis) => of_struct(item),
        Item::Enum(item) if is_public(&item.vis) => of_enum(item),
        Item::Trait(item) if is_public(&item.vis) => of_trait(item),
        Item::Impl(item) => of_impl(item, types),
        _ => Vec::new(),
    }
}

fn of_struct(item: &ItemStruct) -> Vec<String> {
    let name = &item.ident;
    let head = format!(
        "struct {name}{}{}",
        source(&item.generics),
        grows(&item.attrs)
    );
    let public = item.fields.iter().filter(|field| is_public(&field.vis));
    let parts = public.map(|field| format!("struct {name}: {}", shown(field)));
    [head].into_iter().chain(parts).collect()
}

fn of_enum(item: &ItemEnum) -> Vec<String> {
    let name = &item.ident;
    let head = format!(
        "enum {name}{}{}",
        source(&item.generics),
        grows(&item.attrs)
    );
    let parts = item.variants.iter().map(|variant| {
        let fields: Vec<_> = variant.fields.iter().map(shown).collect();
        let fields = match &variant.fields {
            Fields::Unit => String::new(),
            _ => format!("({})", fields.join(", ")),
        };
        format!("enum {name}: {}{fields}", variant.ident)
    });
    [head].into_iter().chain(parts).collect()
}

fn of_trait(item: &ItemTrait) -> Vec<String> {
    let (name, above) = (&item.ident, source(&item.supertraits));
    let head = format!("trait {name}{}: {above}", source(&item.generics));
    let parts = item.items.iter().filter_map(|part| match part {
        TraitItem::Fn(part) => {
            let is_provided = part.default.is_some();
            let provided = if is_provided { " (provided)" } else { "" };
            Some(format!("trait {name}: {}{provided}", source(&part.sig)))
        }
        TraitItem::Type(part) => Some(format!("trait {name}: type {}", part.ident)),
        _ => None,
    });
    [head].into_iter().chain(parts).collect()
}

fn of_impl(item: &ItemImpl, types: &BTreeSet<String>) -> Vec<String> {
    let of = source(&item.self_ty);
    if let Some((_, implemented, _)) = &item.trait_ {
        let base = of.split('<').next().unwrap_or_default();
        let line = format!("impl {} for {of}", source(implemented));
        return types.contains(base).then_some(line).into_iter().collect();
    }
    let public = item.items.iter().filter_map(|part| match part {
        ImplItem::Fn(part) if is_public(&part.vis) => Some(format!("{of}: {}", source(&part.sig))),
        ImplItem::Const(part) if is_public(&part.vis) => {
            Some(format!("{of}: const {}: {}", part.ident, source(&part.ty)))
        }
        _ => None,
    });
    public.collect()
}
