//! Folders of Markdown as trees of pages.
