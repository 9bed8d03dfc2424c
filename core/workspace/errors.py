"""What can be wrong with a workspace, as one plain sentence."""


class WorkspaceError(Exception):
    """The workspace can't be used; the text says why and what to do."""
