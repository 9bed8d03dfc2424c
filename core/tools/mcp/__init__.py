"""Tools of servers, by the Model Context Protocol. Its SDK is imported when a server is used."""
