/** How `<hitch-use>` looks. */
import { css } from 'lit';

export const useStyles = css`
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 6px 12px;
    align-items: center;
    margin-bottom: 8px;
  }

  .bar select {
    width: auto;
    max-width: 100%;
  }

  .plots {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(200px, 1fr));
    gap: 8px 12px;
    max-height: 420px;
    overflow: auto;
  }

  figure {
    margin: 0;
    min-width: 0;
  }

  figcaption {
    display: flex;
    gap: 8px;
    justify-content: space-between;
  }

  figcaption span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  figcaption b {
    white-space: nowrap;
  }

  svg {
    display: block;
    width: 100%;
    height: 72px;
    border: 1px solid var(--hitch-border);
  }

  polyline {
    fill: none;
    stroke: var(--hitch-accent);
    stroke-width: 1.5px;
    vector-effect: non-scaling-stroke;
  }

  circle {
    fill: var(--hitch-accent);
  }

  .at {
    stroke: var(--hitch-quiet);
    vector-effect: non-scaling-stroke;
  }

  details {
    margin-top: 8px;
  }

  table {
    border-collapse: collapse;
  }

  th,
  td {
    padding: 1px 12px 1px 0;
    text-align: end;
    font-weight: inherit;
  }

  th:first-child {
    text-align: start;
  }

  @media (forced-colors: active) {
    polyline {
      stroke: CanvasText;
    }
  }
`;
