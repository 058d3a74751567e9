import Testing

/// One at a time: their clients block the thread they run on, and there are as few threads as cores.
@Suite(.serialized) enum SocketTests {}
