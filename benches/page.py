#!/usr/bin/env python3
"""How long Chromium takes to open an exported page of many lines, with and without `content-visibility`."""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

# What is measured is written into the page, which the browser prints once it is loaded.
SCRIPT = """<script>addEventListener('load', () => requestAnimationFrame(() => {
  const before = performance.now();
  document.documentElement.scrollHeight;
  const shown = performance.now();
  location.hash = '#L%d';
  document.documentElement.scrollTop;
  const answer = document.createElement('answer');
  const { loadEventStart } = performance.getEntriesByType('navigation')[0];
  answer.textContent = JSON.stringify({ load: loadEventStart, shown, jump: performance.now() - shown });
  document.body.append(answer);
}))</script>"""


def recording(path, lines):
    """A session whose commands print coloured lines."""
    with open(path, "w", encoding="utf-8") as file:
        print(json.dumps({"version": 3, "term": {"cols": 120, "rows": 40}, "timestamp": 1790000000}), file=file)
        for n in range(lines):
            text = f"\x1b[3{n % 7 + 1}mline {n}\x1b[0m \x1b[1mof\x1b[0m a log with \x1b[4mparts\x1b[0m of its own\r\n"
            if n % 100 == 0:
                text = "$ \x1b[?2004hmake\x1b[?2004l\r\r\n" + text
            print(json.dumps([0.001, "o", text]), file=file)
        print(json.dumps([0.0, "x", "0"]), file=file)


def opened(path, home):
    """Milliseconds until the page is loaded and laid out, and then to jump to its last line; and the elapsed time."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--window-size=1200,900", f"--user-data-dir={home}/profile", "--timeout=60000", "--dump-dom",
               f"file://{path}"]
    output = subprocess.run(command, env={**os.environ, "HOME": home}, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=True, text=True).stdout
    return json.loads(output.rsplit("<answer>", 1)[1].split("</answer>")[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recmode", default="target/release/recmode")
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        cast = f"{home}/session.cast"
        recording(cast, args.lines)
        for player in (True, False):
            command = [args.recmode, "export", "--to", "html", cast] + ([] if player else ["--no-player"])
            page = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
            page = POLICY.sub("", page).replace("</body>", SCRIPT % args.lines + "</body>")
            for lazy in (True, False):
                path = f"{home}/page.html"
                with open(path, "w", encoding="utf-8") as file:
                    file.write(page if lazy else page.replace("content-visibility: auto", "content-visibility: visible"))
                rounds = [opened(path, home) for _ in range(args.rounds)]
                median = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
                print(f"{'with' if player else 'no':4} player, content-visibility {'auto' if lazy else 'off':4}: "
                      f"{len(page) / 1e6:.1f} MB, loaded after {median['load']:.0f} ms, laid out after {median['shown']:.0f} ms, "
                      f"jump to the last line {median['jump']:.0f} ms")


if __name__ == "__main__":
    main()
