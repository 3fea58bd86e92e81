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
        'tui:see every session live (also\: glassbell without a verb)'
        'attach:open the front end at a session'
        'watch:print what a session does, as plain text'
        'top:list the sessions live, or once'
        'repl:type code and see what it does'
        'open:open a session and print its id'
        'exec:run code in a session'
        'shell:a shell, or any program, at this terminal'
        'ls:list the sessions'
        'close:close sessions'
        'interrupt:interrupt what a session runs'
        'undo:go back one checkpoint of a session, or more'
        'redo:go forward again to what was undone'
        'rewind:take a session back to how it was after a cell'
        'fork:open sessions that go on from a moment of another one'
        'diff:how variables and files of two moments differ'
        'checkpoint:keep a session as it is now'
        'checkpoints:the moments to which a session can be taken'
        'sleep:put a session to sleep\: it takes only disk until it is used again'
        'wake:wake a session that is asleep, before it is used'
        'answer:type a line for a program that waits for input'
        'network:show or change what a session may reach'
        'secret:list the secrets that sessions can use'
        'port:open a port of a session to this host'
        'put:bring a file or folder into a session'
        'get:fetch a file or folder from a session'
        'log:show what a session ran or connected to'
        'export:write what a session ran as a notebook or the like'
        'mcp:be an MCP server for agents, on standard input and output'
        'serve:be the server'
        'stdio:carry the server'\''s socket over standard input and output'
        'doctor:tell what works on this host and what is missing'
        'image:list, build or warm images'
        'version:print the version'
        'help:tell about the verbs'
        'completion:print completion for the shell'
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
            '*'{-l+,--lang=}'[its language (default\: as the file says)]:LANG:_glassbell_languages' \
            '*--image=[the image to run in]:NAME:_glassbell_images' \
            '*'{-t+,--time=}'[time for the code (default 30; fractions)]:SECONDS: ' \
            '*'{-m+,--memory=}'[memory of the VM in MiB]:MB: ' \
            '*--net=[what it may reach (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use and not see; may be repeated]:NAME: ' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--stdin[the program reads our standard input]' \
            '*--upload=[bring a file or folder in first; may be repeated]:LOCAL\[\:REMOTE\]:_files' \
            '*--download=[fetch a file or folder afterwards; may be repeated]:REMOTE\[\:LOCAL\]: ' \
            '*--max-output=[standard output kept at most, in MiB (default 16)]:MB: ' \
            '*--json[print the result as JSON]' \
            '*--try=[so many times at once, each in a fork of the session]:COUNT: ' \
            '*--keep[with --try\: do not close the forks]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_files'
        ;;
    tui)
        _arguments -s -S : \
            '--help[tell about tui]' \
            '*--theme=[the colours (default\: as the settings say, else auto)]:NAME: ' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    attach)
        _arguments -s -S : \
            '--help[tell about attach]' \
            '*--theme=[the colours (default\: as the settings say, else auto)]:NAME: ' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    watch)
        _arguments -s -S : \
            '--help[tell about watch]' \
            '*--replay[begin with what it did before]' \
            '*--json[the events as JSON, one a line]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    top)
        _arguments -s -S : \
            '--help[tell about top]' \
            '*--once[print the sessions once and end]' \
            '*--json[the same as JSON]' \
            '*--theme=[the colours, on a screen]:NAME: ' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    repl)
        _arguments -s -S : \
            '--help[tell about repl]' \
            '*'{-l+,--lang=}'[its language (default\: python)]:LANG:_glassbell_languages' \
            '*--image=[the image to run in]:NAME:_glassbell_images' \
            '*'{-m+,--memory=}'[memory of the VM in MiB]:MB: ' \
            '*--net=[what it may reach (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use and not see; may be repeated]:NAME: ' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*'{-t+,--time=}'[time for each cell (default\: 24 hours)]:SECONDS: ' \
            '*--raw[pass escape sequences of the program on to the terminal]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    open)
        _arguments -s -S : \
            '--help[tell about open]' \
            '*'{-l+,--lang=}'[its language (default\: python)]:LANG:_glassbell_languages' \
            '*--image=[the image to run in]:NAME:_glassbell_images' \
            '*--key=[attach to the session with this key, or create it]:KEY: ' \
            '*--label=[a name for people]:TEXT: ' \
            '*--idle=[close after so long without use (default 1800; 0\: never)]:SECONDS: ' \
            '*--lifetime=[close after so long in any case]:SECONDS: ' \
            '*'{-t+,--time=}'[time for each cell, unless it asks otherwise]:SECONDS: ' \
            '*'{-m+,--memory=}'[memory of the VM in MiB]:MB: ' \
            '*--net=[what it may reach (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--secret=[a secret that it may use and not see; may be repeated]:NAME: ' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--json[print the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    exec)
        _arguments -s -S : \
            '--help[tell about exec]' \
            '*--terminal[as -it\: a program of the session at this terminal, with its arguments]' \
            '*'{-c+,--code=}'[the code itself; may be repeated]:CODE: ' \
            '*'{-f+,--file=}'[the same as FILE; may be repeated]:FILE:_files' \
            '*'{-l+,--lang=}'[its language (default\: as the file says)]:LANG:_glassbell_languages' \
            '*'{-t+,--time=}'[time for the code (default 30; fractions)]:SECONDS: ' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--stdin[the program reads our standard input]' \
            '*--upload=[bring a file or folder in first; may be repeated]:LOCAL\[\:REMOTE\]:_files' \
            '*--download=[fetch a file or folder afterwards; may be repeated]:REMOTE\[\:LOCAL\]: ' \
            '*--max-output=[standard output kept at most, in MiB (default 16)]:MB: ' \
            '*--json[print the result as JSON]' \
            '*--try=[so many times at once, each in a fork of the session]:COUNT: ' \
            '*--keep[with --try\: do not close the forks]' \
            '*--lease-wait=[wait so long while another client holds the session (default 600; 0\: not)]:SECONDS: ' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '1:session:_glassbell_sessions' \
            '*:word:_files'
        ;;
    shell)
        _arguments -s -S : \
            '--help[tell about shell]' \
            '*--attach=[come back to terminal N, and type at it from now on]:N: ' \
            '*--watch=[look at terminal N]:N: ' \
            '*--list[list the terminals of the session]' \
            '*'{-e+,--env=}'[environment variable; may be repeated]:NAME=VALUE: ' \
            '*--json[print the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '1:session:_glassbell_sessions'
        ;;
    ls)
        _arguments -s -S : \
            '--help[tell about ls]' \
            '*'{-a,--all}'[those that have ended, too]' \
            '*--json[print the result as JSON]' \
            '*--ids[ids, keys and labels only, one a line]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    close)
        _arguments -s -S : \
            '--help[tell about close]' \
            '*'{-a,--all}'[every session of the server]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    interrupt)
        _arguments -s -S : \
            '--help[tell about interrupt]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    undo)
        _arguments -s -S : \
            '--help[tell about undo]' \
            '*'{-i,--interrupt}'[interrupt what runs and drop what waits, instead of waiting for it]' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    redo)
        _arguments -s -S : \
            '--help[tell about redo]' \
            '*'{-i,--interrupt}'[interrupt what runs and drop what waits, instead of waiting for it]' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    rewind)
        _arguments -s -S : \
            '--help[tell about rewind]' \
            '*'{-c+,--checkpoint=}'[the moment of this checkpoint]:NUMBER: ' \
            '*'{-n+,--name=}'[the moment of the checkpoint of this name]:NAME: ' \
            '*'{-i,--interrupt}'[interrupt what runs and drop what waits, instead of waiting for it]' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    fork)
        _arguments -s -S : \
            '--help[tell about fork]' \
            '*'{-a+,--at=}'[from the moment after this cell; default\: from now]:CELL: ' \
            '*'{-c+,--checkpoint=}'[from the moment of this checkpoint]:NUMBER: ' \
            '*'{-n+,--count=}'[how many]:COUNT: ' \
            '*--label=[their name for people]:TEXT: ' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    diff)
        _arguments -s -S : \
            '--help[tell about diff]' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    checkpoint)
        _arguments -s -S : \
            '--help[tell about checkpoint]' \
            '*'{-n+,--name=}'[a name for it\: it stays when there are too many]:NAME: ' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    checkpoints)
        _arguments -s -S : \
            '--help[tell about checkpoints]' \
            '*--json[as JSON, one in a line]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    sleep)
        _arguments -s -S : \
            '--help[tell about sleep]' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    wake)
        _arguments -s -S : \
            '--help[tell about wake]' \
            '*--json[the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    answer)
        _arguments -s -S : \
            '--help[tell about answer]' \
            '*--eof[end its input, behind TEXT if there is one]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    network)
        _arguments -s -S : \
            '--help[tell about network]' \
            '*--net=[what it may reach (default none)\: a name, a file, or rules]:POLICY: ' \
            '*--once[answers what is asked about HOST \:PORT for the connections that wait, and no others]' \
            '*'{-f,--follow}'[shows what is asked until the session ends; meanwhile it counts as somebody who can answer]' \
            '*--json[print the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    secret)
        _arguments -s -S : \
            '--help[tell about secret]' \
            '*--json[print the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    port)
        _arguments -s -S : \
            '--help[tell about port]' \
            '*--address=[where on this host\: 127.0.0.1 or \[\:\:1\] (default\: a free port of 127.0.0.1)]:ADDRESS\:PORT: ' \
            '*--unix=[as a Unix socket that only the server'\''s user can use]:PATH:_files' \
            '*--close[closes it again, and breaks its connections]' \
            '*--json[print the result as JSON]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    put)
        _arguments -s -S : \
            '--help[tell about put]' \
            '*'{-q,--quiet}'[no progress]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_files'
        ;;
    get)
        _arguments -s -S : \
            '--help[tell about get]' \
            '*'{-q,--quiet}'[no progress]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    log)
        _arguments -s -S : \
            '--help[tell about log]' \
            '*'{-f,--follow}'[go on with what the session runs, until it ends]' \
            '*--cell=[only this cell]:N: ' \
            '*--code[only the code]' \
            '*--output[only what was printed]' \
            '*--network[its connections instead of its cells\: those that have ended, what was refused, who set the rules]' \
            '*--cast=[the recording of that terminal instead, as asciicast v2]:TERMINAL: ' \
            '*--json[print each cell or connection as JSON, one a line]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    export)
        _arguments -s -S : \
            '--help[tell about export]' \
            '*--format=[ipynb (default), py, md, asciicast or json]:FORMAT: ' \
            '*'{-o+,--output=}'[write to this file or into this folder; -\: standard output]:FILE:_files' \
            '*'{-a,--all}'[also the cells that were undone]' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
            '*:word:_glassbell_sessions'
        ;;
    mcp)
        _arguments -s -S : \
            '--help[tell about mcp]' \
            '*--image=[image of what is run when the model names none]:NAME:_glassbell_images' \
            '*'{-m+,--memory=}'[memory of each VM in MiB, unless the model asks otherwise]:MB: ' \
            '*--idle=[sessions close after so long without use (default 1800; 0\: never)]:SECONDS: ' \
            '*--lease-wait=[wait so long while another client holds the session (default 45; 0\: not)]:SECONDS: ' \
            '*--owner=[sessions are opened for it, and only its own are listed]:NAME: ' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    serve)
        _arguments -s -S : \
            '--help[tell about serve]' \
            '*--foreground[stay in the terminal (the default)]' \
            '*--daemon[go into the background once it is ready]' \
            '*--config=[the settings file (default\: $GLASSBELL_CONFIG)]:FILE:_files' \
            '*--socket=[the socket to listen at]:PATH:_files' \
            '*--images=[where the images are (default\: $GLASSBELL_IMAGES)]:FOLDER:_files' \
            '*--pool=[VMs that stand ready (IMAGE=LEAST\:MOST); may be repeated]:IMAGE=VMS: ' \
            '*--require-isolation[refuse to start when a stage cannot be applied]' \
            '*--log=[the log of a daemon]:FILE:_files' \
            '*--log-format=[auto, text or json]:FORMAT: ' \
            '*'{-v,--verbose}'[log more]' \
            '*--idle-exit=[end when nobody used it for so long]:SECONDS: '
        ;;
    stdio)
        _arguments -s -S : \
            '--help[tell about stdio]' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]'
        ;;
    doctor)
        _arguments -s -S : \
            '--help[tell about doctor]' \
            '*--json[print the result as JSON]' \
            '*--images=[where the images are (default\: $GLASSBELL_IMAGES)]:FOLDER:_files' \
            '*--socket=[the server'\''s socket]:PATH:_files'
        ;;
    image)
        _arguments -s -S : \
            '--help[tell about image]' \
            '*--images=[where the images are (default\: $GLASSBELL_IMAGES)]:FOLDER:_files' \
            '*--json[print the result as JSON]' \
            '*--names[names only, one a line (ls)]' \
            '*--languages[names of the languages, one a line (ls)]' \
            '*'{-m+,--memory=}'[memory of the VMs in MiB (warm)]:MB: ' \
            '*--host=[the server of another machine\: ssh\://\[USER@\]HOST, or a name of the settings (default\: $GLASSBELL_HOST)]:HOST: ' \
            '*--socket=[the server'\''s socket (default\: $GLASSBELL_SOCKET)]:PATH:_files' \
            '*--no-autostart[fail when no server runs instead of starting one]' \
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
