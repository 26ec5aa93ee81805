'use strict';
(async () => {
  const read = name => JSON.parse(document.getElementById(name).textContent);
  const trouble = document.getElementById('trouble');
  const charts = read('charts');
  // Named one by one, as there are others that would send data to a service.
  const BUTTONS = ['toImage', 'zoom2d', 'pan2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d'];

  // The script that draws is compressed: it is unpacked here, as a page on the disk loads nothing.
  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), char => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(stream).text();
  }

  const narrow = innerWidth <= 700;

  function themed({legend, ...layout}, traces) {
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name).trim();
    const axis = given => ({automargin: true, gridcolor: colour('--line'),
      zerolinecolor: colour('--line'), linecolor: colour('--soft'), ...given});
    const beside = legend && !narrow;
    const rows = narrow ? traces : traces / 5;  // of the list of names, about
    return {
      font: {color: colour('--text'), family: getComputedStyle(document.body).fontFamily},
      modebar: {bgcolor: 'rgba(0,0,0,0)', color: colour('--soft'), activecolor: colour('--accent')},
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)', margin: {l: 60, r: 20, t: 50, b: 50}, hovermode: 'closest',
      showlegend: true, ...layout,
      // Names of runs and classes in full.
      hoverlabel: {namelength: -1},
      // A long list of names takes its room below the lines, and not from them.
      height: layout.height + (beside ? 0 : Math.min(220, 18 * Math.max(0, rows - 3))),
      legend: beside ? legend : {orientation: 'h', yref: 'container', y: 0, yanchor: 'bottom'},
      xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis),
    };
  }

  async function draw() {
    for (const place of document.querySelectorAll('.chart')) {
      const figure = charts[place.dataset.chart];
      await Plotly.newPlot(place, figure.data, themed(figure.layout, figure.data.length),
        {responsive: true, displaylogo: false, modeBarButtons: [BUTTONS]});
    }
    document.body.dataset.drawn = Object.keys(charts).length;
  }

  for (const slider of document.querySelectorAll('.frames')) {
    const frames = read(slider.dataset.frames);
    const section = slider.closest('section');
    slider.addEventListener('input', () => {
      const frame = frames[slider.value];
      section.querySelector('output').textContent = frame.title;
      for (const sample of section.querySelectorAll('.sample')) {
        const shown = frame.samples[sample.dataset.sample];
        sample.querySelector('.scores').textContent = shown ? shown.caption : 'not recorded';
        for (const kind of ['prediction', 'errors']) {
          const picture = sample.querySelector('.' + kind);
          if (picture) picture.style.visibility = shown ? 'visible' : 'hidden';
          if (picture && shown) picture.src = shown[kind];
        }
      }
    });
  }

  for (const input of document.querySelectorAll('.filter')) {
    const rows = document.getElementById(input.dataset.table).tBodies[0].rows;
    input.addEventListener('input', () => {
      for (const row of rows) row.hidden = !row.textContent.includes(input.value);
    });
  }

  if (!Object.keys(charts).length) {
    trouble.remove();
    return;
  }
  if (!('DecompressionStream' in window)) {
    trouble.textContent = 'This browser cannot unpack the charts: open the page with Chrome or ' +
      'Edge from version 80 on, Firefox from 113 on or Safari from 16.4 on.';
    return;
  }
  try {
    const script = document.createElement('script');
    script.textContent = await unpack(read('plotly'));
    document.head.append(script);
    await draw();
    trouble.remove();
  } catch (error) {
    trouble.textContent = 'The charts cannot be drawn: ' + error;
  }
})();
