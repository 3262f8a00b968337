/** Name of the checkpoint that says that a run has failed, and is being undone. No step can have it. */
export const FAILURE_NAME = "/failure";
