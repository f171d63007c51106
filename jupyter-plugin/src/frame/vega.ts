/** Vega-Lite and Vega for the frame. */
import embed from 'vega-embed';

window.vegaEmbed = (node, spec, options) => embed(node, spec as never, options as never);
