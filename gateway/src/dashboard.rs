//! The dashboard: a page that draws the figures of `restful.dashboard()`, with uPlot.

use crate::site::{File, Site};

const PAGE: &str = include_str!("../assets/dashboard/page.html");

// A name that changes with the version, so that browsers keep these files.
const FILES: &[File] = &[
    File {
        name: "uplot-1.6.32/uPlot.iife.min.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/uplot-1.6.32/uPlot.iife.min.js"),
        gzip: Some(include_bytes!("../assets/uplot-1.6.32/uPlot.iife.min.js.gz")),
        immutable: true,
    },
    File {
        name: "uplot-1.6.32/uPlot.min.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../assets/uplot-1.6.32/uPlot.min.css"),
        gzip: None,
        immutable: true,
    },
    File {
        name: "uplot-1.6.32/LICENSE",
        media_type: "text/plain; charset=utf-8",
        content: include_bytes!("../assets/uplot-1.6.32/LICENSE"),
        gzip: None,
        immutable: true,
    },
    File {
        name: "page.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/dashboard/page.js"),
        gzip: None,
        immutable: false,
    },
    File {
        name: "page.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../assets/dashboard/page.css"),
        gzip: None,
        immutable: false,
    },
];

/// The dashboard at a path.
pub fn site(path: String) -> Site {
    Site::new(path, PAGE, FILES)
}
