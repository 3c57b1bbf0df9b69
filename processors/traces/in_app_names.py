"""The tables of `in_app`: what the paths and functions of other people's code look like."""

from __future__ import annotations

import re


def _any_start(*starts: str) -> re.Pattern[str]:
    return re.compile("(?:" + "|".join(re.escape(start) for start in starts) + ")")


PATHS_OF_ALL = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|bower_components|jspm_packages|vendor"
    r"|_vendor|third[_-]party|3rdparty|gems|Pods|\.m2|\.gradle|\.pub-cache|hosted/pub\.dev)/"
)
"""Folders that package managers own, whatever the language."""

PATHS: dict[str, re.Pattern[str]] = {
    "python": re.compile(
        r"^<(?!stdin>|string>|console>|input>|ipython-input|doctest|unknown>|cell |notebook)"
        r"|(?:^|/)(?:lib|lib64)/python\d(?:\.\d{1,2})?/|(?:^|/)[Pp]ython[\d.-]{0,8}/[Ll]ib/"
        r"|(?:^|/)python\d{0,3}\.zip/|\.egg/|(?:^|/)importlib/_bootstrap"
    ),
    "javascript": re.compile(
        r"^\[native code\]$|^node:|^(?:internal|electron|bun|deno|ext):?/"
        r"|^(?:module|events|timers|tty|assert|util|vm|domain|bootstrap_node|async_hooks|child_process"
        r"|_?(?:stream|http|https|tls|net|fs|dgram|zlib|readline|buffer)(?:_\w{1,30})?)\.js$"
        r"|^(?:chrome|resource|extensions|about):|(?:^|/)webpack/(?:bootstrap|runtime|universalModule)"
        r"|/~/|(?:^|/)(?:vendors?|polyfills|chunk-vendors|jquery|zone|react-dom|react|angular|vue"
        r"|lodash|underscore|backbone|framework)(?:[.~_-][\w.~-]{0,200})?\.js(?:\?|$)"
        r"|//(?:cdn\.jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|ajax\.googleapis\.com"
        r"|code\.jquery\.com|www\.googletagmanager\.com|www\.google-analytics\.com)/"
    ),
    "ruby": re.compile(
        r"^<internal:|(?:^|/)(?:rubies|rubygems)/|(?:^|/)lib/ruby/|META-INF/jruby|\.rvm/rubies/"
        r"|^[\w-]{1,80} \(\d[\w.-]{0,40}\) |\.java$"
        r"|(?:^|/)bin/(?:rails|bundle|rake|rspec|irb|spring)$"
    ),
    "php": re.compile(r"^phar:|^/usr/share/(?:php|pear)/|(?:^|/)wp-(?:includes|admin)/"),
    "rust": re.compile(
        r"^/?rustc/|\.cargo/(?:registry|git)/|(?:^|/)library/(?:std|core|alloc|test)/"
        r"|(?:^|/)src/lib(?:std|core|alloc|test|panic_\w{1,20})/|^/?checkout/|rustlib/|/sysdeps/"
    ),
    "dart": re.compile(
        r"^dart:|^org-dartlang|^package:(?:flutter|flutter_test|flutter_localizations|sky_engine"
        r"|test|test_api|test_core|matcher|stack_trace|async|collection|http|dio|bloc|flutter_bloc"
        r"|provider|riverpod|flutter_riverpod|get|rxdart|meta|path|shelf|build|go_router|hive"
        r"|firebase_\w{1,30}|cloud_\w{1,30}|sentry|sentry_flutter|isolate)/|(?:^|/)dart-sdk/"
    ),
    "plsql": re.compile(r"."),  # Its calls have no file; those that have one are the client's.
    "c": re.compile(
        r"^/(?:usr/)?(?:lib|lib32|lib64|libexec|include)/|^/usr/(?:src|local/include)/"
        r"|(?:^|/)sysdeps/|(?:^|/)(?:glibc|gcc|llvm)[\w.-]{0,40}/|^\.{1,2}/(?:nptl|csu|stdlib)/"
        r"|(?:^|/)compiler-rt/|libc(?:\.so|-\d)|libpthread|libstdc\+\+|(?:^|/)ld-linux|\.dylib$"
        r"|sanitizer_common|(?:^|/)asan_\w{1,40}\.c|(?:^|/)include/c\+\+/|^/lib/|\.so(?:\.\d{1,4})*$"
        r"|^(?:raise|abort|assert|pthread_kill|libc-start|libc_start_call_main)\.[ch]$"
    ),
}

FUNCTIONS: dict[str, re.Pattern[str]] = {
    "java": re.compile(
        _any_start(
            "java.",
            "javax.",
            "jakarta.",
            "jdk.",
            "sun.",
            "com.sun.",
            "com.oracle.",
            "oracle.",
            "kotlin.",
            "kotlinx.",
            "scala.",
            "groovy.",
            "clojure.",
            "org.codehaus.",
            "android.",
            "androidx.",
            "dalvik.",
            "libcore.",
            "com.android.",
            "org.apache.ant.",
            "org.apache.avro.",
            "org.apache.axis.",
            "org.apache.axis2.",
            "org.apache.camel.",
            "org.apache.catalina.",
            "org.apache.commons.",
            "org.apache.coyote.",
            "org.apache.cxf.",
            "org.apache.el.",
            "org.apache.flink.",
            "org.apache.http.",
            "org.apache.ibatis.",
            "org.apache.jasper.",
            "org.apache.kafka.",
            "org.apache.log4j.",
            "org.apache.logging.",
            "org.apache.maven.",
            "org.apache.naming.",
            "org.apache.poi.",
            "org.apache.shiro.",
            "org.apache.spark.",
            "org.apache.struts.",
            "org.apache.struts2.",
            "org.apache.thrift.",
            "org.apache.tomcat.",
            "org.apache.velocity.",
            "org.apache.wicket.",
            "org.apache.xalan.",
            "org.apache.xerces.",
            "org.apache.xml.",
            "org.springframework.",
            "org.hibernate.",
            "org.junit.",
            "junit.",
            "org.testng.",
            "org.mockito.",
            "org.assertj.",
            "org.hamcrest.",
            "org.eclipse.jetty.",
            "io.netty.",
            "io.undertow.",
            "io.micronaut.",
            "io.quarkus.",
            "io.vertx.",
            "io.grpc.",
            "io.reactivex.",
            "rx.",
            "reactor.",
            "akka.",
            "play.",
            "com.google.common.",
            "com.google.inject.",
            "com.google.gson.",
            "com.google.protobuf.",
            "com.google.android.",
            "com.google.firebase.",
            "com.google.appengine.",
            "com.google.apphosting.",
            "com.fasterxml.",
            "com.mysql.",
            "com.microsoft.sqlserver.",
            "com.mongodb.",
            "com.zaxxer.",
            "com.squareup.",
            "org.postgresql.",
            "org.mariadb.",
            "org.h2.",
            "org.slf4j.",
            "ch.qos.logback.",
            "net.bytebuddy.",
            "net.sf.cglib.",
            "feign.",
            "okhttp3.",
            "okio.",
            "retrofit2.",
            "dagger.",
            "org.gradle.",
            "org.jboss.",
            "org.wildfly.",
            "weblogic.",
            "com.ibm.",
            "org.glassfish.",
            "org.jruby.",
            "org.mozilla.",
            "org.hsqldb.",
            "org.mortbay.",
            "org.aspectj.",
            "redis.clients.",
            "io.lettuce.",
            "software.amazon.",
            "com.amazonaws.",
            "worker.org.gradle.",
            "lombok.",
            "com.intellij.rt.",
        ).pattern
        + r"|[^$]{0,500}\$\$(?:FastClass|Enhancer|SpringCGLIB|Lambda)|(?:[\w.]{0,100}\.)?\$Proxy\d"
    ),
    "csharp": re.compile(
        _any_start(
            "System.",
            "Microsoft.",
            "MS.",
            "Mono.",
            "Newtonsoft.",
            "NUnit.",
            "Xunit.",
            "NLog.",
            "Serilog.",
            "log4net.",
            "Dapper.",
            "Npgsql.",
            "MySql.",
            "MySqlConnector.",
            "MongoDB.",
            "Autofac.",
            "Castle.",
            "Polly.",
            "MediatR.",
            "FluentValidation.",
            "AutoMapper.",
            "UnityEngine.",
            "UnityEditor.",
            "StackExchange.",
            "Amazon.",
            "Azure.",
            "Grpc.",
            "Google.Protobuf.",
            "Swashbuckle.",
            "Hangfire.",
            "Quartz.",
            "MassTransit.",
            "Moq.",
            "RestSharp.",
            "Refit.",
            "lambda_method",
            "Interop.",
            "Internal.",
        ).pattern
        + r"|\(wrapper "
    ),
    "rust": re.compile(
        r"(?:<|&|mut |dyn )*(?:std|core|alloc|test|proc_macro|backtrace|tokio|futures\w{0,20}|rayon"
        r"|failure|anyhow|eyre|color_eyre|hyper|tower|actix\w{0,30}|serde\w{0,20}|panic_unwind)::"
        r"|(?:rust_begin_unwind|rust_panic|__rust|_?_?libc_start|_start$|start_thread|clone\d?$"
        r"|main$|___?\w|<unknown>|BaseThreadInit|RtlUserThread|pthread_|_pthread|thread_start)"
    ),
    "c": re.compile(
        r"(?:__|_start$|_Unwind|std::|operator (?:new|delete)|gsignal$|raise$|abort$|kill$"
        r"|start_thread$|clone\d?$|(?:m|c|re)alloc$|free$|mem(?:cpy|move|set|cmp)$|str(?:len|cpy|cat|cmp|dup|ncpy)$"
        r"|g_(?:log|logv|assert|main|signal)\w{0,60}$|pthread_\w{1,60}$|\?\?$|<signal handler|_IO_"
        r"|qt_message|QMessageLogger|printf$|v?f?s?n?printf$|asan_|interceptor)"
    ),
    "ruby": re.compile(r"(?:org\.jruby|java\.|jdk\.)"),
}

_GO_STANDARD = frozenset(
    {
        "archive",
        "bufio",
        "builtin",
        "bytes",
        "cmp",
        "compress",
        "container",
        "context",
        "crypto",
        "database",
        "debug",
        "embed",
        "encoding",
        "errors",
        "expvar",
        "flag",
        "fmt",
        "go",
        "hash",
        "html",
        "image",
        "index",
        "internal",
        "io",
        "iter",
        "log",
        "maps",
        "math",
        "mime",
        "net",
        "os",
        "path",
        "plugin",
        "reflect",
        "regexp",
        "runtime",
        "slices",
        "sort",
        "strconv",
        "strings",
        "structs",
        "sync",
        "syscall",
        "testing",
        "text",
        "time",
        "unicode",
        "unique",
        "unsafe",
        "weak",
    }
)
_GO_MODULE = re.compile(r"/pkg/mod/|@v\d[\w.+-]{0,80}/|^_cgo|^_testmain\.go$")
_GO_ROOT = re.compile(r"(?:^|/)src/(?P<package>[\w/.-]{1,300})/[^/]{1,200}$")


def is_go_library(path: str, function: str) -> bool:
    """Tell whether a Go frame is of the standard library or of a module that was downloaded.

    The name of a package alone does not say so (an application may have its own `log`): the file
    must also lie where the package's files do, under `src/` or, with -trimpath, at the top.
    """
    if _GO_MODULE.search(path):
        return True
    if not function or function == "panic" or function.startswith("appengine_internal."):
        return "/runtime/" in path or function != ""
    first = re.split(r"[/.]", function, maxsplit=1)[0]
    if first not in _GO_STANDARD:
        return False
    folder = path.rpartition("/")[0]
    return folder.split("/")[0] == first or f"src/{first}" in folder
