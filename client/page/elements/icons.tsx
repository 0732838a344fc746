/** Drawings for buttons that have their words in `aria-label`. */
import type { ReactNode } from "react";

function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4M5 9l5-5 5 5" />
  </Icon>
);

export const StopIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="9" height="9" rx="1.5" className="filled" />
  </Icon>
);

export const PencilIcon = () => (
  <Icon>
    <path d="M4 16l.7-3.2L13.2 4.3a1.4 1.4 0 0 1 2 0l.5.5a1.4 1.4 0 0 1 0 2L7.2 15.3 4 16z" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M4 6h12M8 6V4.5h4V6M6 6l.6 9.5h6.8L14 6" />
  </Icon>
);

export const LeaveIcon = () => (
  <Icon>
    <path d="M8 4H4.5v12H8M12.5 6.5 16 10l-3.5 3.5M16 10H8" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M10 4.5v11M4.5 10h11" />
  </Icon>
);

export const MenuIcon = () => (
  <Icon>
    <path d="M3.5 6h13M3.5 10h13M3.5 14h13" />
  </Icon>
);

export const ShareIcon = () => (
  <Icon>
    <circle cx="14.5" cy="5" r="2" />
    <circle cx="5.5" cy="10" r="2" />
    <circle cx="14.5" cy="15" r="2" />
    <path d="M7.3 9l5.4-3M7.3 11l5.4 3" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="7" y="7" width="9" height="9" rx="1.5" />
    <path d="M13 7V5.5A1.5 1.5 0 0 0 11.5 4h-6A1.5 1.5 0 0 0 4 5.5v6A1.5 1.5 0 0 0 5.5 13H7" />
  </Icon>
);

export const RetryIcon = () => (
  <Icon>
    <path d="M15.5 10a5.5 5.5 0 1 1-1.700-4M14 3v3.300h-3.300" />
  </Icon>
);

export const ChevronIcon = () => (
  <Icon>
    <path d="M8 5.5 12.5 10 8 14.5" />
  </Icon>
);

export const DownIcon = () => (
  <Icon>
    <path d="M10 4v12M5 11l5 5 5-5" />
  </Icon>
);
