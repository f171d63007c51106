import { css } from 'lit';

export const formStyles = css`
  .field {
    display: flex;
    flex-direction: column;
    gap: 3px;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }

  .label {
    padding: 0;
    color: var(--vscode-foreground, CanvasText);
    font-weight: 600;
  }

  .help {
    font-size: 0.92em;
  }

  .boxes {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 14px;
  }

  .boxes label {
    display: inline-flex;
    align-items: center;
    gap: 5px;
  }

  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(180px, 1fr));
    align-items: start;
    gap: 10px 16px;
  }

  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
  }
`;
