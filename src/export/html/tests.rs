use std::collections::HashMap;
use std::sync::LazyLock;

use std::path::Path;

use super::*;
use crate::export::palette::{self, Rgb};
use crate::screen::Style;
use crate::verify::{Facts, Followed};

fn page(lines: &str) -> String {
    let text = format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}");
    let hashes = Hashes { blake3: "b3".to_owned(), sha256: "5a".to_owned(), bytes: 7, partial: false };
    let checked = Checked {
        chain: Followed::NoChain,
        facts: Facts::default(),
        live: false,
        signed: None,
        bytes: 7,
        continued: None,
    };
    let file = FileFacts {
        name: Path::new("a<b"),
        owner: None,
        segments: None,
        files: &[("a<b".into(), checked)],
        hashes: std::slice::from_ref(&hashes),
        verified: "2026-11-30T00:00:00Z",
    };
    let mut out = Vec::new();
    let page = Page::read(Reader::new(text.as_bytes()).expect("a header"), "a<b", false).expect("read");
    page.write(&file, &mut out).expect("written");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn nothing_from_the_recording_is_markup() {
    let page =
        page("[0,\"o\",\"<script>alert('1')</script>&amp;\\r\\n\"]\n[0,\"m\",\"</table><b>\\u202e\"]\n");
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;"), "{page}");
    assert!(page.contains("<code>&lt;/table&gt;&lt;b&gt;\\u{202e}</code>"));
    assert!(page.contains("<title>Session a&lt;b</title>") && !page.contains("<script"));
}

#[test]
fn links_go_to_http_and_https_only() {
    let page = page(
        "[0,\"o\",\"see https://example.org/a?b=\\u001b[1mc&d\\u001b[0m. javascript:alert(1) file:///etc http://\\\"x\\r\\n\"]\n",
    );
    assert_eq!(page.matches("<a href=\"https://example.org/a?b=c&amp;d\" rel").count(), 2, "{page}");
    assert!(
        !page.contains("href=\"java") && !page.contains("href=\"file") && !page.contains("href=\"http://")
    );
}

#[test]
fn colours_are_classes_of_the_theme_or_fixed() {
    let page = page("[0,\"o\",\"\\u001b[31;7mred\\u001b[0;38;5;196;1mfixed\\u001b[0m\\r\\n\"]\n");
    assert!(page.contains("<span style=\"background:#b3261e;color:#ffffff;\">red</span>"), "{page}");
    assert!(
        page.contains(
            "<span class=\"d\" style=\"color:#df0000;color:light-dark(#df0000,#ff0f0f);\">fixed</span>"
        ),
        "{page}"
    );
    let page = self::page("[0,\"o\",\"\\u001b[38;5;231mwhite\\u001b[0;31mred\\u001b[0m\\r\\n\"]\n");
    assert!(page.contains(";color:light-dark(#") && page.contains(",#ffffff);\">white"), "{page}");
    assert!(page.contains("<span class=\"f1\">red</span>"), "{page}");
}

#[test]
fn a_marker_of_any_length_is_a_row_of_the_table() {
    let page = page(&format!("[0,\"o\",\"x\\r\\n\"]\n[0,\"m\",\"{}\"]\n", "é".repeat(5000)));
    assert!(page.contains(&format!("<code>{}…</code>", "é".repeat(1000))), "{}", page.len());
}

fn rgb(hex: &str) -> Rgb {
    let level = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    Rgb(level(1), level(3), level(5))
}

/// The variables of the style sheet, for the light and the dark scheme.
static VARIABLES: LazyLock<[HashMap<String, Rgb>; 2]> = LazyLock::new(|| {
    let sheet = style::sheet();
    let mut schemes = sheet.split(":root {").skip(1).take(2).map(|scheme| {
        let definitions = scheme.split('}').next().unwrap_or_default().split(';');
        let colours = definitions.filter_map(|rule| rule.trim().strip_prefix("--")?.split_once(": "));
        colours.map(|(name, colour)| (name.to_owned(), rgb(colour))).collect()
    });
    [0, 1].map(|_| schemes.next().expect("a scheme"))
});

/// The colours of text and of what is behind it that a browser shows for an opening tag, in the light and the dark scheme.
fn shown(tag: &str) -> [(Rgb, Rgb); 2] {
    let attribute = |name: &str| {
        let value = tag.split_once(&format!(" {name}=\"")).map_or("", |(_, rest)| rest);
        value.split('"').next().unwrap_or_default()
    };
    let variable = |name: &str, scheme: usize| VARIABLES[scheme][name];
    [0, 1].map(|scheme| {
        let (mut ink, mut behind) = (variable("fg", scheme), variable("bg", scheme));
        let classes: Vec<&str> = attribute("class").split(' ').collect();
        for class in &classes {
            match *class {
                "n" => ink = variable("dim", scheme),
                "ff" => ink = variable("bg", scheme),
                "fb" => behind = variable("fg", scheme),
                "" | "d" | "i" | "u" | "k" => {}
                theme => {
                    let set = if classes.contains(&"n") { "n" } else { "c" };
                    ink = variable(&format!("{set}{}", &theme[1..]), scheme);
                }
            }
        }
        for rule in attribute("style").split(';') {
            match rule.split_once(':') {
                Some(("background", colour)) => behind = rgb(colour),
                Some(("color", both)) if both.starts_with("light-dark(") => {
                    let mut colours = both["light-dark(".len()..].split(',');
                    ink = rgb(colours.nth(scheme).expect("two colours"));
                }
                Some(("color", colour)) => ink = rgb(colour),
                _ => {}
            }
        }
        (ink, behind)
    })
}

/// The styles that a terminal gives to these attributes, which are parameters of SGR.
fn styles_of(attributes: impl Iterator<Item = String>) -> Vec<Style> {
    let mut terminal = avt::Terminal::new(1, 1).expect("a size");
    attributes
        .map(|sgr| {
            terminal.feed(format!("\x1b[0;{sgr}m\x1b[Hx"));
            *terminal.screen().line(0).expect("a row").cells()[0].pen()
        })
        .collect()
}

fn assert_contrast(sgr: &str, style: &Style) {
    for (scheme, (ink, behind)) in ["light", "dark"].iter().zip(shown(&transcript::span(style, false).0)) {
        let contrast = palette::contrast(ink, behind);
        assert!(contrast >= 4.5, "{sgr}, {scheme}: {ink} on {behind} has {contrast:.2}");
    }
}

#[test]
fn every_pair_of_the_palette_has_the_contrast_that_wcag_asks_for_in_both_schemes() {
    for more in ["0", "1", "7", "2", "1;2;7"] {
        let one = (0..256).flat_map(|n| [format!("{more};38;5;{n}"), format!("{more};48;5;{n}")]);
        let pairs =
            (0..256).flat_map(|fore| (0..256).map(move |back| format!("{more};38;5;{fore};48;5;{back}")));
        let all: Vec<String> = one.chain(pairs).chain([more.to_owned()]).collect();
        for (sgr, style) in all.iter().zip(styles_of(all.iter().cloned())) {
            assert_contrast(sgr, &style);
        }
    }
}

proptest::proptest! {
    #[test]
    fn so_has_every_pair_of_24_bit_colours(
        fore: Option<(u8, u8, u8)>, back: Option<(u8, u8, u8)>, more in 0_usize..5
    ) {
        let part = |which: u8, colour: Option<(u8, u8, u8)>| {
            colour.map_or_else(String::new, |(r, g, b)| format!(";{which};2;{r};{g};{b}"))
        };
        let sgr = format!("{}{}{}", ["0", "1", "7", "2", "2;7"][more], part(38, fore), part(48, back));
        assert_contrast(&sgr, &styles_of(std::iter::once(sgr.clone()))[0]);
    }
}

#[test]
fn block_elements_keep_their_colours_as_qr_codes_and_pictures_are_made_of_them() {
    let page = page("[0,\"o\",\"\\u001b[37;47ma\\u2588\\u001b[0m\\r\\n\"]\n");
    assert!(page.contains("style=\"background:#c8c8c8;color:#c8c8c8;\">\u{2588}</span>"), "{page}");
    assert!(page.contains("style=\"background:#c8c8c8;color:#"), "{page}");
}

#[test]
fn commands_have_start_duration_lines_and_the_status_that_the_shell_reports() {
    let page = page(
        "[1,\"o\",\"\\u001b]133;A\\u0007$ \\u001b[?2004h\"]\n[1,\"o\",\"make\"]\n\
         [1,\"o\",\"\\u001b[?2004l\\r\\r\\n\\u001b]133;C\\u0007\"]\n[0.5,\"o\",\"one\\r\\ntwo\\r\\n\"]\n\
         [1.75,\"o\",\"\\u001b]133;D;2\\u0007\\u001b]133;A\\u0007two-line\\r\\n$ \\u001b[?2004h\"]\n\
         [60,\"o\",\"exit\"]\n[0,\"o\",\"\\u001b[?2004l\\r\\r\\n\\u001b]133;C\\u0007\"]\n[0,\"m\",\"here\"]\n",
    );
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("<tr id")).collect();
    let cells = |took: &str, lines, status, what| {
        format!(
            "<td class=\"r\">{took}</td><td class=\"r\">{lines}</td><td class=\"r\">{status}</td><td><code>{what}</code></td></tr>"
        )
    };
    assert_eq!(rows.len(), 3, "{page}");
    let first = "<tr id=\"C1\" data-t=\"3.000000\"><td><a href=\"#L1\">0:00:03.000</a></td>";
    assert_eq!(rows[0], format!("{first}{}", cells("2.2 s", 2, "2", "$ make")));
    assert!(rows[1].ends_with(&cells("-", 0, "-", "$ exit")), "{}", rows[1]);
    assert!(rows[2].ends_with("<td></td><td></td><td></td><td>Marker: <code>here</code></td></tr>"));
}

#[test]
fn a_command_is_one_row_whatever_lines_it_was_typed_in_and_what_is_none_has_no_row() {
    let prompt = "\\u001b[?2004h\\u001b]133;D;0\\u0007\\u001b]133;A\\u0007$ \\u001b]133;B\\u0007";
    let (more, off, begun) = ("\\u001b[?2004h> ", "\\r\\n\\u001b[?2004l\\r", "\\u001b]133;C\\u0007");
    let events = [
        // An empty line, and one that is abandoned.
        prompt,
        off,
        prompt,
        "sleep^C",
        off,
        prompt,
        "for i in 1 2; do",
        off,
        more,
        "echo $i",
        off,
        more,
        "done",
        &format!("{off}{begun}"),
        "1\\r\\n2\\r\\n",
        prompt,
        "true",
        &format!("{off}{begun}"),
        prompt,
    ];
    let lines: Vec<_> = events.iter().map(|event| format!("[1,\"o\",\"{event}\"]\n")).collect();
    let page = page(&lines.concat());
    let rows: Vec<_> =
        page.split("<tr id").skip(1).map(|row| row.split_once("</a></td>").expect("cells").1).collect();
    assert_eq!(rows.len(), 2, "{page}");
    let cells = |took, lines, what| {
        format!(
            "<td class=\"r\">{took}</td><td class=\"r\">{lines}</td><td class=\"r\">0</td><td><code>{what}</code></td></tr>"
        )
    };
    assert!(
        rows[0].starts_with(&cells("2.0 s", 2, "$ for i in 1 2; do\n&gt; echo $i\n&gt; done")),
        "{}",
        rows[0]
    );
    assert!(rows[1].starts_with(&cells("1.0 s", 0, "$ true")), "{}", rows[1]);
}

#[test]
fn coloured_blanks_stay() {
    let code = "\\u001b[47m        \\u001b[40m    \\u001b[0m\\r\\n".repeat(6);
    let page = page(&format!("[0.1,\"o\",\"{code}\"]\n"));
    let line = "<span style=\"background:#c8c8c8;color:#000000;\">        </span><span style=\"background:#000000;color:#ffffff;\">    </span>";
    assert_eq!(page.matches(line).count(), 6, "{page}");
}

#[test]
fn a_gap_stands_where_it_happened_and_the_end_at_the_end() {
    let page = page(
        "[1,\"o\",\"before\\r\\n\"]\n#recmode {\"gap\":{\"bytes\":120,\"seconds\":1.5,\"lost\":20,\"error\":\"ENOSPC\"}}\n\
         [1,\"o\",\"after\\r\\n\"]\n#recmode {\"end\":{\"reason\":\"strict\",\"status\":124}}\n",
    );
    let gap = "<div class=\"warn\" data-t=\"1.000000\">0:00:01.000 Gap: ENOSPC for 1.5 s: 120 bytes came, 20 are lost</div>\n";
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(at(">before<") < at(gap) && at(gap) < at(">after<"), "{page}");
    let end = "<div class=\"warn\" data-t=\"2.000000\">0:00:02.000 End: ended by strict mode, as the recording failed, exit status 124</div>";
    assert!(at(">after<") < at(end));
    for verdict in [
        "1 gap: 20 bytes of output are lost",
        "End: ended by strict mode, as the recording failed, exit status 124",
    ] {
        assert!(at(&format!("<p class=\"warn\">{verdict}</p>")) < at("<dl>"), "{page}");
    }
}
