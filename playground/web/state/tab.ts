/** What this tab is called, in leases, in the table of workers, and as the owner of runs. */
export const TAB = `tab-${crypto.randomUUID().slice(0, 4)}`;
