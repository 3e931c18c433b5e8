//! The interactive documentation: Swagger UI, and a page that has it show the API's own description.

use crate::site::{File, Site};

const PAGE: &str = include_str!("../assets/docs/page.html");

// A name that changes with the version, so that browsers keep these files.
const FILES: &[File] = &[
    File {
        name: "swagger-ui-5.35.0/swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/swagger-ui-5.35.0/swagger-ui-bundle.js"),
        gzip: Some(include_bytes!("../assets/swagger-ui-5.35.0/swagger-ui-bundle.js.gz")),
        immutable: true,
    },
    File {
        name: "swagger-ui-5.35.0/swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../assets/swagger-ui-5.35.0/swagger-ui.css"),
        gzip: Some(include_bytes!("../assets/swagger-ui-5.35.0/swagger-ui.css.gz")),
        immutable: true,
    },
    File {
        name: "swagger-ui-5.35.0/LICENSE",
        media_type: "text/plain; charset=utf-8",
        content: include_bytes!("../assets/swagger-ui-5.35.0/LICENSE"),
        gzip: None,
        immutable: true,
    },
    File {
        name: "page.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../assets/docs/page.js"),
        gzip: None,
        immutable: false,
    },
    File {
        name: "page.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../assets/docs/page.css"),
        gzip: None,
        immutable: false,
    },
];

/// The documentation at a path.
pub fn site(path: String) -> Site {
    Site::new(path, PAGE, FILES)
}
