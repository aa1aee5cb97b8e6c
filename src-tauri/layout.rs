//! Which windows were open, and where: what the next start opens again.

use serde::{Deserialize, Serialize};
use tombolo_core::RowId;

/// The file in the config folder.
pub(crate) const FILE: &str = "windows.json";

/// The most windows with a page of their own.
pub(crate) const PAGES_MAX: usize = 24;

/// Larger than any screen; a placement beyond it is not believed.
const PIXELS_MAX: u32 = 32_768;

/// Where a window is, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placement {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The rest then says where it is when it is no longer maximized.
    #[serde(default)]
    pub(crate) maximized: bool,
}

/// A screen's place among the others, in physical pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Placement {
    /// Whether the window's upper edge, by which it can be moved, would be seen.
    pub(crate) fn is_seen_on(&self, screens: &[Screen]) -> bool {
        let sized = (1..=PIXELS_MAX).contains(&self.width) && (1..=PIXELS_MAX).contains(&self.height);
        let middle = i64::from(self.x) + i64::from(self.width / 2);
        let spans = |from: i32, length: u32, at: i64| {
            (i64::from(from)..i64::from(from) + i64::from(length)).contains(&at)
        };
        sized
            && screens.iter().any(|screen| {
                spans(screen.x, screen.width, middle) && spans(screen.y, screen.height, i64::from(self.y))
            })
    }
}

/// A window that shows one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PageWindow {
    pub(crate) page: RowId,
    pub(crate) placement: Option<Placement>,
}

/// The windows, as they are now or were when the app ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Layout {
    pub(crate) main: Option<Placement>,
    /// In the order in which they were opened.
    pub(crate) pages: Vec<PageWindow>,
}

/// A window of the app: the main one, or one that shows a single page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Main,
    Page(RowId),
}

const MAIN: &str = "main";
const PAGE: &str = "page-";

impl Place {
    /// The window's label, by which capabilities know it.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Main => MAIN.to_owned(),
            Self::Page(page) => format!("{PAGE}{page}"),
        }
    }

    pub(crate) fn from_label(label: &str) -> Option<Self> {
        if label == MAIN {
            return Some(Self::Main);
        }
        label.strip_prefix(PAGE)?.parse().ok().map(Self::Page)
    }
}

impl Layout {
    pub(crate) fn placement(&self, place: Place) -> Option<Placement> {
        match place {
            Place::Main => self.main,
            Place::Page(page) => self.pages.iter().find(|window| window.page == page)?.placement,
        }
    }

    /// A window is open; the main one always counts as open.
    pub(crate) fn open(&mut self, place: Place) {
        if let Place::Page(page) = place
            && self.pages.iter().all(|window| window.page != page)
        {
            self.pages.push(PageWindow { page, placement: None });
        }
    }

    /// A window was closed while others stay open.
    pub(crate) fn close(&mut self, place: Place) {
        if let Place::Page(page) = place {
            self.pages.retain(|window| window.page != page);
        }
    }

    /// Forgets pages beyond the bound, and pages that are named twice: people can edit the file.
    pub(crate) fn bound(&mut self) {
        let mut seen = Vec::new();
        self.pages.retain(|window| {
            let new = seen.len() < PAGES_MAX && !seen.contains(&window.page);
            seen.extend(new.then_some(window.page));
            new
        });
    }

    /// A window was moved or sized. A maximized one keeps the place that it returns to.
    pub(crate) fn moved(&mut self, place: Place, now: Placement) {
        let kept = match place {
            Place::Main => &mut self.main,
            Place::Page(page) => match self.pages.iter_mut().find(|window| window.page == page) {
                Some(window) => &mut window.placement,
                None => return,
            },
        };
        let before = kept.filter(|_| now.maximized).unwrap_or(now);
        *kept = Some(Placement { maximized: now.maximized, ..before });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Placement = Placement { x: 10, y: 20, width: 800, height: 600, maximized: false };
    const SCREEN: Screen = Screen { x: 0, y: 0, width: 1920, height: 1080 };

    fn page(n: u8) -> RowId {
        RowId::from_bytes([n; 16])
    }

    #[test]
    fn labels_name_windows_and_back() {
        for place in [Place::Main, Place::Page(page(1))] {
            assert_eq!(Place::from_label(&place.label()), Some(place));
        }
        for foreign in ["", "page-", "page-1", "stranger", "main2"] {
            assert_eq!(Place::from_label(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn pages_are_listed_while_their_windows_are_open() {
        let mut layout = Layout::default();
        for place in [Place::Main, Place::Page(page(1)), Place::Page(page(2)), Place::Page(page(1))] {
            layout.open(place);
        }
        layout.moved(Place::Page(page(2)), AT);
        layout.close(Place::Page(page(1)));
        layout.moved(Place::Page(page(1)), AT);
        assert_eq!(layout.pages, [PageWindow { page: page(2), placement: Some(AT) }]);
        assert_eq!(layout.placement(Place::Page(page(2))), Some(AT));
        assert_eq!(layout.placement(Place::Page(page(1))), None);
    }

    #[test]
    fn a_maximized_window_knows_where_it_was() {
        let mut layout = Layout::default();
        layout.moved(Place::Main, AT);
        layout.moved(Place::Main, Placement { x: 0, y: 0, width: 1920, height: 1080, maximized: true });
        assert_eq!(layout.main, Some(Placement { maximized: true, ..AT }));
        layout.moved(Place::Main, AT);
        assert_eq!(layout.main, Some(AT));
    }

    #[test]
    fn a_window_comes_back_only_where_it_can_be_seen() {
        let seen = |placement: Placement| placement.is_seen_on(&[SCREEN]);
        assert!(seen(AT));
        assert!(seen(Placement { x: -300, ..AT }));
        assert!(!seen(Placement { x: -500, ..AT }));
        assert!(!seen(Placement { y: -50, ..AT }));
        assert!(!seen(Placement { x: 2_500, ..AT }));
        assert!(!seen(Placement { width: 0, ..AT }));
        assert!(!seen(Placement { x: i32::MAX, width: u32::MAX, ..AT }));
        assert!(!AT.is_seen_on(&[]));
        assert!(Placement { x: 2_500, ..AT }.is_seen_on(&[SCREEN, Screen { x: 1920, ..SCREEN }]));
    }

    #[test]
    fn a_file_cannot_ask_for_any_number_of_windows() {
        let pages = (0..60).map(|n| PageWindow { page: page(n % 30), placement: None });
        let mut layout = Layout { main: None, pages: pages.collect() };
        layout.bound();
        let left: Vec<_> = layout.pages.iter().map(|window| window.page).collect();
        assert_eq!(left, (0..PAGES_MAX as u8).map(page).collect::<Vec<_>>());
    }
}
