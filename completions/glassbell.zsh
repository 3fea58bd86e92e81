#compdef glassbell
# zsh completion for glassbell; made by `glassbell completion zsh`
_glassbell_languages()
{
    local -a found=(${(f)"$(glassbell image ls --languages 2>/dev/null)"})
    compadd -a found
}
_glassbell_sessions()
{
    local -a found=(${(f)"$(glassbell ls --ids 2>/dev/null)"})
    compadd -a found
}
_glassbell_images()
{
    local -a found=(${(f)"$(glassbell image ls --names 2>/dev/null)"})
    compadd -a found
}
_glassbell_verbs()
{
    local -a verbs=(
        'run:run code in a fresh VM and destroy it'
        'tui:open the front end (also\: glassbell without a verb)'
        'attach:open the front end at a session'
        'watch:print what a session does, as plain text'
        'top:list the sessions live, or once'
        'repl:run code interactively'
        'open:open a session and print its id'
        'exec:run code in a session'
        'shell:a shell, or any program, at this terminal'
        'ls:list the sessions'
        'close:close sessions'
        'interrupt:interrupt the running cell of a session'
        'undo:take a session back by one or more checkpoints'
        'redo:redo what was undone'
        'rewind:take a session back to an earlier state'
        'fork:open sessions that continue from a state of another one'
        'diff:compare the variables, files and output of two sessions or moments'
        'checkpoint:save the present state of a session'
        'checkpoints:list the checkpoints of a session'
        'sleep:put a session to sleep\: it uses only disk space until it is used again'
        'wake:wake a session that is asleep, before it is used'
        'answer:send a line to a program that waits for input'
        'network:show or change what a session may reach'
        'packages:list or remove packages that are kept for sessions'
        'secret:list the secrets that sessions can use'
        'port:open a port of a session to this host'
        'put:copy a file or folder into a session'
        'get:copy a file or folder from a session'
        'log:show what a session has run, or connected to'
        'note:give a cell of a session a note or a bookmark, or list them'
        'export:export a session as a notebook, script, document or recording'
        'mcp:run an MCP server for agents, on standard input and output'
        'serve:run the server'
        'stdio:forward the server'\''s socket over standard input and output'
        'doctor:check what works on this host and what is missing'
        'image:list, build or warm images'
        'version:print the version'
        'help:show help for the verbs'
        'completion:print a completion script for a shell'
    )
    _describe verb verbs
}
_glassbell()
{
    if ((CURRENT == 2)); then
        if [[ ${words[2]} == -* ]]; then
            compadd -- --help --version
        else
            _glassbell_verbs
        fi
        return
    fi
    shift words
    ((CURRENT--))
    case ${words[1]} in
    run)
        _arguments -s -S : \
            '--help[tell about run]' \
            '*'{-c+,--code=}'[the code itself; may be repeated]:CODE: ' \
            '*'{-f+,--file=}'[the same as FILE; may be repeated]:FILE:_files' \
            '*'{-l+,--lang=}'[its language (default\: from the file)]:LANG:_glassbell_languages' \
            '*--image=[the image to run in]:NAME:_glassbell_images' \
            '*'{-t+,--time=}'[time limit in seconds (default 30; may be fractional)]:SECONDS: ' \
            '*'{-m+,--memory=}'[memory of the VM in MiB]:MB: ' \
            '*--net=[network access (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use without seeing it; may be repeated]:NAME: ' \
            '*--packages=[packages that it has\: names, or a requirements.txt]:NAMES:_files' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--stdin[connect our standard input to the program]' \
            '*--upload=[copy a file or folder in first; may be repeated]:LOCAL\[\:REMOTE\]:_files' \
            '*--download=[copy a file or folder out afterwards; may be repeated]:REMOTE\[\:LOCAL\]: ' \
            '*--max-output=[maximum of standard output that is kept, in MiB (default 16)]:MB: ' \
            '*--json[print the result as JSON]' \
            '*--try=[run this many times at once, each in a fork of the session]:COUNT: ' \
            '*--keep[with --try\: do not close the forks]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_files'
        ;;
    tui)
        _arguments -s -S : \
            '--help[tell about tui]' \
            '*--theme=[the colours (default\: from the settings, else auto)]:NAME: ' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    attach)
        _arguments -s -S : \
            '--help[tell about attach]' \
            '*--theme=[the colours (default\: from the settings, else auto)]:NAME: ' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    watch)
        _arguments -s -S : \
            '--help[tell about watch]' \
            '*--replay[begin with what has happened so far]' \
            '*--json[print events as JSON, one per line]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    top)
        _arguments -s -S : \
            '--help[tell about top]' \
            '*--once[print the sessions once and exit]' \
            '*--json[the same as JSON]' \
            '*--theme=[the colours, on a screen]:NAME: ' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    repl)
        _arguments -s -S : \
            '--help[tell about repl]' \
            '*'{-l+,--lang=}'[its language (default\: python)]:LANG:_glassbell_languages' \
            '*--image=[the image to run in]:NAME:_glassbell_images' \
            '*'{-m+,--memory=}'[memory of the VM in MiB]:MB: ' \
            '*--net=[network access (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use without seeing it; may be repeated]:NAME: ' \
            '*--packages=[packages that it has\: names, or a requirements.txt]:NAMES:_files' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*'{-t+,--time=}'[time limit of each cell (default\: 24 hours)]:SECONDS: ' \
            '*--raw[pass escape sequences of the program on to the terminal]' \
            '*--no-others[do not show what other clients run in the session]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    open)
        _arguments -s -S : \
            '--help[tell about open]' \
            '*'{-l+,--lang=}'[its language (default\: python)]:LANG:_glassbell_languages' \
            '*--image=[the image to run in]:NAME:_glassbell_images' \
            '*--key=[attach to the session with this key, or create it]:KEY: ' \
            '*--label=[a name for people]:TEXT: ' \
            '*--idle=[close the session after being idle for this long (default 1800; 0\: never)]:SECONDS: ' \
            '*--lifetime=[close the session this long after it was opened]:SECONDS: ' \
            '*'{-t+,--time=}'[default time limit of its cells]:SECONDS: ' \
            '*'{-m+,--memory=}'[memory of the VM in MiB]:MB: ' \
            '*--net=[network access (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use without seeing it; may be repeated]:NAME: ' \
            '*--packages=[packages that it has\: names, or a requirements.txt]:NAMES:_files' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--json[print the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    exec)
        _arguments -s -S : \
            '--help[tell about exec]' \
            '*--terminal[with -it\: a program of the session at this terminal, with its arguments]' \
            '*'{-c+,--code=}'[the code itself; may be repeated]:CODE: ' \
            '*'{-f+,--file=}'[the same as FILE; may be repeated]:FILE:_files' \
            '*'{-l+,--lang=}'[its language (default\: from the file)]:LANG:_glassbell_languages' \
            '*'{-t+,--time=}'[time limit in seconds (default 30; may be fractional)]:SECONDS: ' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--stdin[connect our standard input to the program]' \
            '*--upload=[copy a file or folder in first; may be repeated]:LOCAL\[\:REMOTE\]:_files' \
            '*--download=[copy a file or folder out afterwards; may be repeated]:REMOTE\[\:LOCAL\]: ' \
            '*--max-output=[maximum of standard output that is kept, in MiB (default 16)]:MB: ' \
            '*--json[print the result as JSON]' \
            '*--try=[run this many times at once, each in a fork of the session]:COUNT: ' \
            '*--keep[with --try\: do not close the forks]' \
            '*--lease-wait=[how long to wait while another client holds the session (default 600; 0\: not at all)]:SECONDS: ' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '1:session:_glassbell_sessions' \
            '*:word:_files'
        ;;
    shell)
        _arguments -s -S : \
            '--help[tell about shell]' \
            '*--attach=[return to terminal N, and type at it from now on]:N: ' \
            '*--watch=[watch terminal N]:N: ' \
            '*--list[list the terminals of the session]' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--json[print the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '1:session:_glassbell_sessions'
        ;;
    ls)
        _arguments -s -S : \
            '--help[tell about ls]' \
            '*'{-a,--all}'[include ended sessions]' \
            '*--json[print the result as JSON]' \
            '*--ids[only ids, keys and labels, one per line]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    close)
        _arguments -s -S : \
            '--help[tell about close]' \
            '*'{-a,--all}'[all sessions of the server]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    interrupt)
        _arguments -s -S : \
            '--help[tell about interrupt]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    undo)
        _arguments -s -S : \
            '--help[tell about undo]' \
            '*'{-i,--interrupt}'[interrupt the running cell and drop waiting ones, instead of waiting for them]' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    redo)
        _arguments -s -S : \
            '--help[tell about redo]' \
            '*'{-i,--interrupt}'[interrupt the running cell and drop waiting ones, instead of waiting for them]' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    rewind)
        _arguments -s -S : \
            '--help[tell about rewind]' \
            '*'{-c+,--checkpoint=}'[the checkpoint with this number]:NUMBER: ' \
            '*'{-n+,--name=}'[the checkpoint with this name]:NAME: ' \
            '*'{-i,--interrupt}'[interrupt the running cell and drop waiting ones, instead of waiting for them]' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    fork)
        _arguments -s -S : \
            '--help[tell about fork]' \
            '*'{-a+,--at=}'[from the state after this cell; default\: the present state]:CELL: ' \
            '*'{-c+,--checkpoint=}'[from this checkpoint]:NUMBER: ' \
            '*'{-n+,--count=}'[how many]:COUNT: ' \
            '*--label=[their label]:TEXT: ' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    diff)
        _arguments -s -S : \
            '--help[tell about diff]' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    checkpoint)
        _arguments -s -S : \
            '--help[tell about checkpoint]' \
            '*'{-n+,--name=}'[its name; named checkpoints are kept when there are too many]:NAME: ' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    checkpoints)
        _arguments -s -S : \
            '--help[tell about checkpoints]' \
            '*--json[as JSON, one per line]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    sleep)
        _arguments -s -S : \
            '--help[tell about sleep]' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    wake)
        _arguments -s -S : \
            '--help[tell about wake]' \
            '*--json[the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    answer)
        _arguments -s -S : \
            '--help[tell about answer]' \
            '*--eof[end its input, after TEXT if given]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    network)
        _arguments -s -S : \
            '--help[tell about network]' \
            '*--net=[network access (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--once[answer for HOST \:PORT only for the connections that wait]' \
            '*--always[answer for all connections to HOST \:PORT, and write the rule into the \[network\] of the settings that the session was opened with]' \
            '*'{-f,--follow}'[show questions until the session ends; meanwhile questions can be asked]' \
            '*--json[print the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    packages)
        _arguments -s -S : \
            '--help[tell about packages]' \
            '*--json[as JSON, one per line]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    secret)
        _arguments -s -S : \
            '--help[tell about secret]' \
            '*--json[print the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    port)
        _arguments -s -S : \
            '--help[tell about port]' \
            '*--address=[address on this host\: 127.0.0.1 or \[\:\:1\] (default\: a free port of 127.0.0.1)]:ADDRESS\:PORT: ' \
            '*--unix=[as a Unix socket that only the server'\''s user can use]:PATH:_files' \
            '*--close[close it again, and break its connections]' \
            '*--json[print the result as JSON]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    put)
        _arguments -s -S : \
            '--help[tell about put]' \
            '*'{-q,--quiet}'[no progress]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_files'
        ;;
    get)
        _arguments -s -S : \
            '--help[tell about get]' \
            '*'{-q,--quiet}'[no progress]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    log)
        _arguments -s -S : \
            '--help[tell about log]' \
            '*'{-f,--follow}'[continue with new output, until the session ends]' \
            '*--cell=[only this cell]:N: ' \
            '*--code[only the code]' \
            '*--output[only the output]' \
            '*--network[its connections instead of its cells\: ended ones, refused ones, and who set the rules]' \
            '*--cast=[the recording of that terminal instead, as asciicast v2]:TERMINAL: ' \
            '*--json[print each cell or connection as JSON, one per line]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    note)
        _arguments -s -S : \
            '--help[tell about note]' \
            '*'{-b,--bookmark}'[give the cell a bookmark]' \
            '*--no-bookmark[remove its bookmark]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    export)
        _arguments -s -S : \
            '--help[tell about export]' \
            '*--format=[ipynb, py, md, asciicast, json, or ocsf\: its connections as events (default\: as FILE ends, else ipynb)]:FORMAT: ' \
            '*'{-o+,--output=}'[write to this file, or into this folder; -\: standard output]:FILE:_files' \
            '*'{-a,--all}'[include undone cells]' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    mcp)
        _arguments -s -S : \
            '--help[tell about mcp]' \
            '*--image=[image for code if the model does not name one]:NAME:_glassbell_images' \
            '*'{-m+,--memory=}'[memory of each VM in MiB, unless the model specifies it]:MB: ' \
            '*--idle=[close sessions after being idle for this long (default 1800; 0\: never)]:SECONDS: ' \
            '*--lease-wait=[how long to wait while another client holds the session (default 45; 0\: not at all)]:SECONDS: ' \
            '*--net=[network access (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use without seeing it; may be repeated]:NAME: ' \
            '*--owner=[the owner of sessions that are opened; only those are listed]:NAME: ' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    serve)
        _arguments -s -S : \
            '--help[tell about serve]' \
            '*--foreground[stay in the terminal (the default)]' \
            '*--daemon[go into the background when it is ready]' \
            '*--config=[the settings file (default\: $GLASSBELL_CONFIG)]:FILE:_files' \
            '*--socket=[the socket to listen at]:PATH:_files' \
            '*--images=[folder of the images (default\: $GLASSBELL_IMAGES)]:FOLDER:_files' \
            '*--pool=[VMs that are kept ready (IMAGE=LEAST\:MOST); may be repeated]:IMAGE=VMS: ' \
            '*--require-isolation[refuse to start if an isolation stage cannot be applied]' \
            '*--log=[the log of a daemon]:FILE:_files' \
            '*--log-format=[auto, text or json]:FORMAT: ' \
            '*'{-v,--verbose}'[log more]' \
            '*--idle-exit=[exit when not used for this long]:SECONDS: '
        ;;
    stdio)
        _arguments -s -S : \
            '--help[tell about stdio]' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]'
        ;;
    doctor)
        _arguments -s -S : \
            '--help[tell about doctor]' \
            '*--json[print the result as JSON]' \
            '*--images=[folder of the images (default\: $GLASSBELL_IMAGES)]:FOLDER:_files' \
            '*--socket=[the server'\''s socket]:PATH:_files'
        ;;
    image)
        _arguments -s -S : \
            '--help[tell about image]' \
            '*--images=[folder of the images (default\: $GLASSBELL_IMAGES)]:FOLDER:_files' \
            '*--json[print the result as JSON]' \
            '*--names[only the names, one per line (ls)]' \
            '*--languages[only the names of the languages, one per line (ls)]' \
            '*'{-m+,--memory=}'[memory of the VMs in MiB (warm)]:MB: ' \
            '*--host=[a server on another machine\: ssh\://\[USER@\]HOST, or a name from the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail if no server runs, instead of starting one]' \
            '*:word:_glassbell_images'
        ;;
    version)
        _arguments -s -S : \
            '--help[tell about version]'
        ;;
    help)
        _arguments -s -S : \
            '--help[tell about help]' \
            '*:word:_glassbell_verbs'
        ;;
    completion)
        _arguments -s -S : \
            '--help[tell about completion]' \
            '*:word:(bash zsh fish)'
        ;;
    esac
}
if [[ ${funcstack[1]} == _glassbell ]]; then
    _glassbell "$@"
else
    compdef _glassbell glassbell
fi
