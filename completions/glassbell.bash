# bash completion for glassbell; made by `glassbell completion bash`
_glassbell()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local verbs='run tui attach watch top repl open exec shell ls close interrupt undo redo rewind fork diff checkpoint checkpoints sleep wake answer network packages secret port put get log note export mcp serve stdio doctor image version help completion'
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    run)
        case $before in
            --code|-c) return ;;
            --file|-f) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --lang|-l) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --languages 2>/dev/null)" -- "$word"); return ;;
            --image) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --names 2>/dev/null)" -- "$word"); return ;;
            --time|-t) return ;;
            --memory|-m) return ;;
            --net) return ;;
            --secret) return ;;
            --packages) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --env|-e) return ;;
            --upload) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --download) return ;;
            --max-output) return ;;
            --try) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --code --file --lang --image --time --memory --net --secret --packages --env --stdin --upload --download --max-output --json --try --keep --host --socket --no-autostart' -- "$word")
            return
        fi
        compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    tui)
        case $before in
            --theme) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --theme --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    attach)
        case $before in
            --theme) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --theme --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    watch)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --replay --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    top)
        case $before in
            --theme) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --once --json --theme --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    repl)
        case $before in
            --lang|-l) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --languages 2>/dev/null)" -- "$word"); return ;;
            --image) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --names 2>/dev/null)" -- "$word"); return ;;
            --memory|-m) return ;;
            --net) return ;;
            --secret) return ;;
            --packages) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --env|-e) return ;;
            --time|-t) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --lang --image --memory --net --secret --packages --env --time --raw --no-others --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    open)
        case $before in
            --lang|-l) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --languages 2>/dev/null)" -- "$word"); return ;;
            --image) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --names 2>/dev/null)" -- "$word"); return ;;
            --key) return ;;
            --label) return ;;
            --idle) return ;;
            --lifetime) return ;;
            --time|-t) return ;;
            --memory|-m) return ;;
            --net) return ;;
            --secret) return ;;
            --packages) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --env|-e) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --lang --image --key --label --idle --lifetime --time --memory --net --secret --packages --env --json --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    exec)
        case $before in
            --code|-c) return ;;
            --file|-f) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --lang|-l) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --languages 2>/dev/null)" -- "$word"); return ;;
            --time|-t) return ;;
            --env|-e) return ;;
            --upload) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --download) return ;;
            --max-output) return ;;
            --try) return ;;
            --lease-wait) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --terminal --code --file --lang --time --env --stdin --upload --download --max-output --json --try --keep --lease-wait --host --socket --no-autostart' -- "$word")
            return
        fi
        if ((COMP_CWORD == 2)); then mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word"); else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi
        ;;
    shell)
        case $before in
            --attach) return ;;
            --watch) return ;;
            --env|-e) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --attach --watch --list --env --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    ls)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --all --json --ids --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    close)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --all --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    interrupt)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    undo)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --interrupt --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    redo)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --interrupt --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    rewind)
        case $before in
            --checkpoint|-c) return ;;
            --name|-n) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --checkpoint --name --interrupt --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    fork)
        case $before in
            --at|-a) return ;;
            --checkpoint|-c) return ;;
            --count|-n) return ;;
            --label) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --at --checkpoint --count --label --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    diff)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    checkpoint)
        case $before in
            --name|-n) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --name --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    checkpoints)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    sleep)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    wake)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    answer)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --eof --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    network)
        case $before in
            --net) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --net --once --always --follow --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    packages)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    secret)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    port)
        case $before in
            --address) return ;;
            --unix) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --address --unix --close --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    put)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --quiet --host --socket --no-autostart' -- "$word")
            return
        fi
        compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    get)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --quiet --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    log)
        case $before in
            --cell) return ;;
            --cast) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --follow --cell --code --output --network --cast --json --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    note)
        case $before in
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --bookmark --no-bookmark --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    export)
        case $before in
            --format) return ;;
            --output|-o) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --format --output --all --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell ls --ids 2>/dev/null)" -- "$word")
        ;;
    mcp)
        case $before in
            --image) mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --names 2>/dev/null)" -- "$word"); return ;;
            --memory|-m) return ;;
            --idle) return ;;
            --lease-wait) return ;;
            --net) return ;;
            --secret) return ;;
            --owner) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --image --memory --idle --lease-wait --net --secret --owner --host --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    serve)
        case $before in
            --config) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --images) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --pool) return ;;
            --log) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --log-format) return ;;
            --idle-exit) return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --foreground --daemon --config --socket --images --pool --require-isolation --log --log-format --verbose --idle-exit' -- "$word")
            return
        fi
        ;;
    stdio)
        case $before in
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --socket --no-autostart' -- "$word")
            return
        fi
        ;;
    doctor)
        case $before in
            --images) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --json --images --socket' -- "$word")
            return
        fi
        ;;
    image)
        case $before in
            --images) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
            --memory|-m) return ;;
            --host) return ;;
            --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help --images --json --names --languages --memory --host --socket --no-autostart' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$(glassbell image ls --names 2>/dev/null)" -- "$word")
        ;;
    version)
        case $before in
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help' -- "$word")
            return
        fi
        ;;
    help)
        case $before in
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
        ;;
    completion)
        case $before in
        esac
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '--help' -- "$word")
            return
        fi
        mapfile -t COMPREPLY < <(compgen -W "bash zsh fish" -- "$word")
        ;;
    esac
}
complete -F _glassbell glassbell
