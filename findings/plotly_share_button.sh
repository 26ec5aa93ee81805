#!/usr/bin/env bash
# plotly 7.1.0 (plotly.js 4.1.1): every chart has a button "Share chart..." that, after a question,
# uploads the chart with its data to cloud.plotly.com. It is on by default, in pages that are written
# with the script inside (`write_html(include_plotlyjs=True)`), too; up to 6.5.0 (plotly.js 3.3.0) the
# option was off. Pages that are not to send anything name their buttons (`modeBarButtons`), or set
# `config=dict(showSendToCloud=False)`.
#
# Output:
#   plotly 6.5.0: showSendToCloud is off by default, plotly.js v3.3.0
#   plotly 7.1.0: showSendToCloud is on by default, plotly.js v4.1.1
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
for version in 6.5.0 7.1.0; do
    "$folder/venv/bin/pip" install --quiet --retries 1 "plotly==$version"
    "$folder/venv/bin/python" - "$version" <<'PYTHON'
import re
import sys

import plotly

assert plotly.__version__ == sys.argv[1], plotly.__version__
page = plotly.graph_objects.Figure().add_scatter(y=[1, 2]).to_html(include_plotlyjs=True)
script = re.search(r'plotly\.js (v[\d.]+)', page)[1]
default = {'!0': 'on', '!1': 'off'}[
    re.search(r'showSendToCloud:\{valType:"boolean",dflt:(!\d)\}', page)[1]]
print(f'plotly {plotly.__version__}: showSendToCloud is {default} by default, plotly.js {script}')
assert default == {'6.5.0': 'off', '7.1.0': 'on'}[plotly.__version__]
assert ('https://cloud.plotly.com' in page) == (default == 'on')
PYTHON
done
