//! Reading XML answers: what is asked for is found by name, everything else is passed over.

use roxmltree::{Document, Node, ParsingOptions};

use crate::aws::refused::{Answer, Refused};

/// The most elements that an answer may have.
const NODES_MAX: u32 = 4_000_000;

/// Parses an answer and hands its root to `read`.
pub fn read<T>(operation: &str, text: &str, read: impl FnOnce(Element<'_, '_>) -> T) -> Answer<T> {
    let document = parse(text).map_err(|error| Refused::unreadable(operation, error.to_string()))?;
    Ok(read(Element(document.root_element())))
}

/// The code and message of an error answer.
pub fn error(text: &str) -> Option<(String, String)> {
    let document = parse(text).ok()?;
    let found = document.descendants().find(|node| node.tag_name().name() == "Error")?;
    let error = Element(found);
    Some((error.text("Code"), error.text("Message")))
}

fn parse(text: &str) -> Result<Document<'_>, roxmltree::Error> {
    Document::parse_with_options(text, ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() })
}

/// An element.
#[derive(Clone, Copy)]
pub struct Element<'a, 'b>(Node<'a, 'b>);

impl<'a, 'b> Element<'a, 'b> {
    /// The child of that name.
    pub fn child(self, name: &str) -> Option<Self> {
        self.0.children().find(|node| node.tag_name().name() == name).map(Self)
    }

    /// The items of a list: the children of the child of that name.
    pub fn items(self, list: &str) -> impl Iterator<Item = Self> + use<'a, 'b> {
        let list = self.child(list);
        list.into_iter().flat_map(|list| list.0.children().filter(Node::is_element).map(Self))
    }

    /// The text of the child of that name; empty when there is none.
    pub fn text(self, name: &str) -> String {
        self.child(name).and_then(|child| child.0.text()).unwrap_or_default().trim().to_owned()
    }

    /// The same, `None` when empty.
    pub fn some(self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }
}
