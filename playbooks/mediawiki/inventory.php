<?php
/**
 * Prints what this wiki is made of and what is offered for it, as one JSON document after a marker line:
 *
 *   php inventory.php ROOT
 *
 * Reads files, the configuration and a few rows, without running MediaWiki, and asks the two services anew. It writes
 * nothing but files of its own in the temporary folder.
 */

$root = rtrim( $argv[1], '/' );
require __DIR__ . '/settings.php';
require __DIR__ . '/service.php';

const INTENDANT_MOST = 500;
// When the support of a series ends, by the end of that month (mediawiki.org, "Version lifecycle").
const INTENDANT_ENDS = array(
	'1.35' => '2023-12-31',
	'1.36' => '2022-05-31',
	'1.37' => '2022-11-30',
	'1.38' => '2023-06-30',
	'1.39' => '2025-12-31',
	'1.40' => '2024-06-30',
	'1.41' => '2024-12-31',
	'1.42' => '2025-06-30',
	'1.43' => '2027-12-31',
	'1.44' => '2026-06-30',
	'1.45' => '2026-12-31',
);
// The least PHP of a series, as its release notes say; a newer one is not known here.
const INTENDANT_PHP = array(
	'1.39' => '7.4.3',
	'1.40' => '7.4.3',
	'1.41' => '7.4.3',
	'1.42' => '7.4.3',
	'1.43' => '8.1.0',
	'1.44' => '8.1.0',
	'1.45' => '8.2.0',
);
// What releases come with; each of these moves with the core.
const INTENDANT_BUNDLED = array( 'AbuseFilter', 'CategoryTree', 'Cite', 'CiteThisPage', 'CodeEditor', 'ConfirmEdit', 'DiscussionTools', 'Echo', 'Gadgets', 'ImageMap', 'InputBox', 'Interwiki', 'Linter', 'LocalisationUpdate', 'LoginNotify', 'Math', 'MultimediaViewer', 'Nuke', 'OATHAuth', 'PageImages', 'ParserFunctions', 'PdfHandler', 'Poem', 'Renameuser', 'ReplaceText', 'Scribunto', 'SecureLinkFixer', 'SpamBlacklist', 'SyntaxHighlight_GeSHi', 'TemplateData', 'TextExtracts', 'Thanks', 'TitleBlacklist', 'VisualEditor', 'WikiEditor', 'MinervaNeue', 'MonoBook', 'Timeless', 'Vector' );
// What of the core lies in folders.
const INTENDANT_FOLDERS = array( 'docs', 'extensions', 'includes', 'languages', 'maintenance', 'mw-config', 'resources', 'skins', 'tests', 'vendor' );
// Bundled extensions that became part of the core: whoever loads one has to take a line out of LocalSettings.php.
const INTENDANT_GONE = array( 'Renameuser' => '1.40', 'Interwiki' => '1.44' );

/** Whether a series is one with long support: every fourth. */
function intendant_is_lts( $series ) {
	list( $first, $second ) = explode( '.', $series );
	return '1' === $first && $second >= 35 && 3 === $second % 4;
}

/** Whether a version is what a manifest asks for: ">= 1.39.0, < 1.43", "^1.39 || ~1.41.2", "1.39.*". */
function intendant_fits( $version, $wanted ) {
	foreach ( preg_split( '/\|\|?/', $wanted ) as $choice ) {
		$fits = true;
		foreach ( preg_split( '/[\s,]+/', preg_replace( '/([<>=^~!]+)\s+/', '$1', trim( $choice ) ) ) as $one ) {
			if ( '' === $one || '*' === $one ) {
				continue;
			}
			if ( ! preg_match( '/^(>=|<=|<|>|==?|!=|\^|~)?v?([0-9]+(?:\.[0-9]+)*)(\.\*)?/', $one, $found ) ) {
				continue;
			}
			$sign  = $found[1];
			$parts = explode( '.', $found[2] );
			if ( '^' === $sign || '~' === $sign || ! empty( $found[3] ) ) {
				$keep   = '^' === $sign ? 1 : ( ! empty( $found[3] ) ? count( $parts ) : max( 1, count( $parts ) - 1 ) );
				$below  = array_slice( $parts, 0, $keep );
				++$below[ $keep - 1 ];
				$fits = $fits && version_compare( $version, $found[2], '>=' ) && version_compare( $version, implode( '.', $below ), '<' );
			} else {
				$fits = $fits && version_compare( $version, $found[2], '' === $sign || '=' === $sign ? '==' : $sign );
			}
		}
		if ( $fits ) {
			return true;
		}
	}
	return false;
}

/** The first of some places that this account can't replace, relative to the site's folder. */
function intendant_unwritable( $root, array $paths ) {
	foreach ( $paths as $path ) {
		if ( file_exists( $path ) && ! is_link( $path ) && ! is_writable( $path ) ) {
			return $path === $root ? '.' : ltrim( substr( $path, strlen( $root ) ), '/' );
		}
	}
	return null;
}

/** The time of a snapshot's commit, which only the snapshot itself tells: array( why not or null, time ). */
function intendant_time( $url, $name ) {
	$file        = tempnam( sys_get_temp_dir(), 'intendant' );
	list( $why ) = intendant_fetch( $url, $file, 50 << 20 );
	$git         = null;
	if ( null === $why ) {
		list( , $text ) = intendant_run( array( 'tar', '-xzOf', $file, "$name/gitinfo.json" ) );
		$git            = json_decode( $text, true );
		$why            = isset( $git['headCommitDate'] ) && is_numeric( $git['headCommitDate'] ) ? null : 'holds no gitinfo.json';
	}
	@unlink( $file );
	return array( $why, null === $why ? (int) $git['headCommitDate'] : null );
}

/** The version of the database, and who may do everything on the wiki: array( version or null, people or null ). */
function intendant_people() {
	global $wgDBtype, $wgDBserver, $wgDBport, $wgDBname, $wgDBuser, $wgDBpassword, $wgDBprefix, $wgDBmwschema;
	$prefix = str_replace( array( '`', '"', "'" ), '', (string) $wgDBprefix );
	$ask    = static function ( $quote, $user, $now ) use ( $prefix ) {
		return "SELECT DISTINCT user_name, user_email FROM $quote$prefix$user$quote JOIN $quote{$prefix}user_groups$quote ON ug_user = user_id" .
			" WHERE ug_group IN ('sysop', 'bureaucrat', 'interface-admin') AND (ug_expiry IS NULL OR ug_expiry > $now) ORDER BY user_name LIMIT 5000";
	};
	$now    = gmdate( "'YmdHis'" );
	$plain  = ! class_exists( 'PDO' ) ? array() : array( PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_TIMEOUT => 20 );
	if ( 'mysql' === $wgDBtype && extension_loaded( 'mysqli' ) && is_string( $wgDBname ) ) {
		mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT );
		list( $host, $port, $socket ) = intendant_server( $wgDBserver );
		$database                     = mysqli_init();
		$database->options( MYSQLI_OPT_CONNECT_TIMEOUT, 20 );
		$database->real_connect( '' === $host ? 'localhost' : $host, (string) $wgDBuser, (string) $wgDBpassword, $wgDBname, $port ? $port : 3306, $socket );
		$version = $database->server_info;
		$rows    = $database->query( $ask( '`', 'user', $now ) );
	} elseif ( 'sqlite' === $wgDBtype && extension_loaded( 'pdo_sqlite' ) && is_file( intendant_sqlite_file() ) ) {
		$database = new PDO( 'sqlite:' . intendant_sqlite_file(), null, null, $plain + array( PDO::SQLITE_ATTR_OPEN_FLAGS => PDO::SQLITE_OPEN_READONLY ) );
		$version  = $database->query( 'SELECT sqlite_version()' )->fetchColumn();
		$rows     = $database->query( $ask( '"', 'user', $now ), PDO::FETCH_ASSOC );
	} elseif ( 'postgres' === $wgDBtype && extension_loaded( 'pdo_pgsql' ) && is_string( $wgDBname ) ) {
		$quoted   = static function ( $value ) {
			return "'" . addcslashes( (string) $value, "'\\" ) . "'";
		};
		$place    = '' === (string) $wgDBserver ? '' : 'host=' . $quoted( $wgDBserver ) . ';';
		$database = new PDO( "pgsql:{$place}port=" . (int) $wgDBport . ';dbname=' . $quoted( $wgDBname ), (string) $wgDBuser, (string) $wgDBpassword, $plain );
		$version  = $database->query( 'SHOW server_version' )->fetchColumn();
		$database->exec( 'SET search_path TO "' . str_replace( '"', '', (string) $wgDBmwschema ) . '", public' );
		// Up to 1.38 the table had this name.
		$user = $database->query( "SELECT to_regclass('{$prefix}mwuser')" )->fetchColumn() ? 'mwuser' : 'user';
		$rows = $database->query( $ask( '"', $user, 'now()' ), PDO::FETCH_ASSOC );
	} else {
		return array( null, null );
	}
	$people = array();
	foreach ( $rows as $row ) {
		$people[] = array( 'name' => (string) $row['user_name'], 'contact' => substr( hash( 'sha256', strtolower( (string) $row['user_email'] ) ), 0, 16 ) );
	}
	return array( preg_match( '/^(?:5\.5\.5-)?([0-9]+(?:\.[0-9]+)+)/', (string) $version, $found ) ? $found[1] : null, $people );
}

$core   = intendant_core_version( $root );
$series = intendant_series( $core );
$busy   = array();

// --- what is installed ------------------------------------------------------

$extensions = array();
$snapshots  = array();
foreach ( array( 'extension', 'skin' ) as $kind ) {
	foreach ( intendant_folders( $root, $kind ) as $name => $folder ) {
		list( $version, $branch, $commit, $manifest ) = intendant_component( $folder, $kind );
		if ( null === $manifest && ! isset( $intendant_loaded[ "$kind:$name" ] ) && ! glob( "$folder/*.php" ) ) {
			continue;
		}
		$needs = array();
		foreach ( array( 'extensions' => 'extension', 'skins' => 'skin' ) as $key => $other ) {
			foreach ( isset( $manifest['requires'][ $key ] ) && is_array( $manifest['requires'][ $key ] ) ? array_keys( $manifest['requires'][ $key ] ) : array() as $one ) {
				$needs[] = "$other:$one";
			}
		}
		$extensions[ "$kind:$name" ] = array(
			'kind'     => $kind,
			'slug'     => $name,
			'title'    => is_string( isset( $manifest['name'] ) ? $manifest['name'] : null ) ? $manifest['name'] : $name,
			'version'  => '' === $version ? null : $version,
			'shipped'  => null === $branch && in_array( $name, INTENDANT_BUNDLED, true ),
			'active'   => isset( $intendant_loaded[ "$kind:$name" ] ),
			'requires' => array( 'extensions' => $needs ),
			'wants'    => isset( $manifest['requires']['MediaWiki'] ) && is_string( $manifest['requires']['MediaWiki'] ) ? $manifest['requires']['MediaWiki'] : '',
			'branch'   => $branch,
			'commit'   => $commit,
			'folder'   => $folder,
		);
		if ( null !== $branch ) {
			$snapshots[] = "$kind:$name";
		}
	}
}

// --- releases of the core ----------------------------------------------------

$sources  = array();
$branches = array();
$trouble  = null;
if ( $snapshots ) {
	list( $trouble, $branches ) = intendant_snapshots( array_slice( $snapshots, 0, INTENDANT_MOST ) );
}
$offers = array();
$broken = null;
// The newest release that nothing but the plan stands against: its series.
$next = null;
list( $broken, $index ) = intendant_text( INTENDANT_RELEASES );
$found_series = array();
if ( null === $broken && preg_match_all( '#href="(?:[^"]*/)?(1\.[0-9]{2,3})/"#', $index, $found ) ) {
	$found_series = array_unique( $found[1] );
}
if ( null === $broken && ! in_array( $series, $found_series, true ) ) {
	$broken = "has no list of releases in which $series stands";
}
foreach ( null === $broken ? $found_series : array() as $one ) {
	// A wiki of a series with long support goes to the next of those; one of another series, to any newer one.
	if ( version_compare( $one, $series, '<' ) || ( $one !== $series && intendant_is_lts( $series ) && ! intendant_is_lts( $one ) ) ) {
		continue;
	}
	list( $why, $page ) = intendant_text( INTENDANT_RELEASES . "$one/" );
	if ( null !== $why || ! preg_match_all( '#href="(?:[^"]*/)?mediawiki-(' . preg_quote( $one, '#' ) . '\.[0-9]+)\.tar\.gz"#', $page, $found ) ) {
		// A series that has no release yet has candidates only.
		if ( null !== $why || false === strpos( $page, 'mediawiki-' ) ) {
			$broken = "$one: " . ( null === $why ? 'has no list of releases' : $why );
		}
		continue;
	}
	usort( $found[1], 'version_compare' );
	$newest = end( $found[1] );
	if ( version_compare( $newest, $core, '<=' ) ) {
		continue;
	}
	list( $why, $published ) = intendant_fetch( INTENDANT_RELEASES . "$one/mediawiki-$newest.tar.gz", '', 0, true );
	if ( null !== $why ) {
		$broken = "mediawiki-$newest.tar.gz $why";
		continue;
	}
	$by_hand = array();
	$branch  = 'REL' . strtr( $one, '.', '_' );
	if ( is_dir( "$root/.git" ) ) {
		$by_hand[] = 'the core is a checkout of git';
	}
	foreach ( $extensions as $extension ) {
		if ( in_array( $extension['slug'], INTENDANT_BUNDLED, true ) && file_exists( "{$extension['folder']}/.git" ) ) {
			$by_hand[] = "{$extension['slug']}, which comes with MediaWiki, is a checkout of git";
		}
	}
	if ( is_file( "$root/composer.local.json" ) ) {
		$by_hand[] = 'composer.local.json: vendor/ is made by Composer on this site';
	}
	if ( $one !== $series ) {
		list( , $second ) = explode( '.', $one );
		$least = '1.' . ( 35 + 4 * max( 0, intdiv( $second - 43, 4 ) ) );
		if ( version_compare( $series, $least, '<' ) ) {
			$by_hand[] = "$one can only be reached from $least or newer";
		}
		foreach ( $extensions as $id => $extension ) {
			$name = $extension['slug'];
			if ( $extension['active'] && isset( INTENDANT_GONE[ $name ] ) && version_compare( $one, INTENDANT_GONE[ $name ], '>=' ) && version_compare( $series, INTENDANT_GONE[ $name ], '<' ) ) {
				$by_hand[] = "take the line out of LocalSettings.php that loads $name, which is part of the core since " . INTENDANT_GONE[ $name ];
			} elseif ( $extension['branch'] && ! isset( $branches[ $id ][ $branch ] ) ) {
				$by_hand[] = "$name has no branch $branch";
			} elseif ( $extension['active'] && ! $extension['branch'] && ! $extension['shipped'] && '' !== $extension['wants'] && ! intendant_fits( $newest, $extension['wants'] ) ) {
				$by_hand[] = "$name asks for MediaWiki {$extension['wants']}";
			}
		}
	}
	if ( ! $by_hand && $one !== $series && ( null === $next || version_compare( $one, $next, '>' ) ) ) {
		$next = $one;
	}
	$offers[] = array(
		'version'   => $newest,
		'package'   => true,
		'source'    => 'releases.wikimedia.org',
		'published' => $published ? gmdate( 'Y-m-d\TH:i:s\Z', $published ) : null,
		'manual'    => $by_hand ? implode( '; ', array_slice( $by_hand, 0, 4 ) ) : null,
		'requires'  => isset( INTENDANT_PHP[ $one ] ) ? array( 'php' => INTENDANT_PHP[ $one ] ) : new stdClass(),
	);
}
$sources[] = array( 'name' => 'core at releases.wikimedia.org', 'reachable' => null === $broken, 'why' => $broken );

// --- extensions and skins that are snapshots of the distributor --------------

foreach ( null === $trouble ? $snapshots : array() as $id ) {
	// Its own branch first. When that has nothing newer, the branch of the next release, which needs that release.
	foreach ( array( $series, $next ) as $one ) {
		$url = null === $one ? null : 'REL' . strtr( $one, '.', '_' );
		$url = isset( $branches[ $id ][ $url ] ) ? $branches[ $id ][ $url ] : null;
		if ( null === $url || 0 === strpos( $extensions[ $id ]['commit'], intendant_commit( $url ) ) ) {
			continue;
		}
		list( $failed, $time ) = intendant_time( $url, $extensions[ $id ]['slug'] );
		if ( null !== $failed ) {
			$trouble = "$url $failed";
			break;
		}
		$version = $one . gmdate( '.Ymd.Hi', $time );
		if ( version_compare( $version, (string) $extensions[ $id ]['version'], '<=' ) ) {
			continue;
		}
		$extensions[ $id ]['offer']      = array(
			'version'   => $version,
			'package'   => true,
			'source'    => 'ExtensionDistributor',
			'published' => gmdate( 'Y-m-d\TH:i:s\Z', $time ),
			'requires'  => $one === $series ? new stdClass() : array( 'core' => $one ),
		);
		$extensions[ $id ]['unwritable'] = intendant_unwritable( $root, array( $root, dirname( $extensions[ $id ]['folder'] ), $extensions[ $id ]['folder'] ) );
		break;
	}
}
if ( $snapshots ) {
	$sources[] = array( 'name' => 'extensions and skins at www.mediawiki.org', 'reachable' => null === $trouble, 'why' => $trouble );
}

// --- the database: its version, who may do everything ------------------------

$people  = null;
$server  = null;
$unusual = null;
try {
	list( $server, $people ) = intendant_people();
} catch ( Exception $error ) {
	fwrite( STDERR, 'the database was not read: error ' . $error->getCode() . "\n" );
}

// --- what stands in the way --------------------------------------------------

if ( is_file( $intendant_lock ) && filesize( $intendant_lock ) > 0 ) {
	$busy[] = array( 'what' => 'read-only: ' . substr( $intendant_lock, 0 === strpos( $intendant_lock, "$root/" ) ? strlen( $root ) + 1 : 0 ), 'since' => (int) filemtime( $intendant_lock ), 'lift' => "rm $intendant_lock" );
}
$leftovers = array();
if ( file_exists( "$root/.intendant-update" ) ) {
	$leftovers[] = array( 'what' => '.intendant-update', 'since' => (int) filemtime( "$root/.intendant-update" ) );
}
// Folders of the core that are links, and bundled extensions and skins; what visitors upload may lie anywhere.
$links = array();
foreach ( array( '*', 'includes/*', 'languages/*', 'maintenance/*', 'resources/*', 'vendor/*' ) as $below ) {
	foreach ( glob( "$root/$below", GLOB_ONLYDIR ) ?: array() as $path ) {
		if ( is_link( $path ) && in_array( strtok( substr( $path, strlen( $root ) + 1 ), '/' ), INTENDANT_FOLDERS, true ) ) {
			$links[] = substr( $path, strlen( $root ) + 1 );
		}
	}
}
foreach ( $extensions as $extension ) {
	if ( $extension['shipped'] && is_link( $extension['folder'] ) ) {
		$links[] = substr( $extension['folder'], strlen( $root ) + 1 );
	}
}
if ( '' !== $core && version_compare( $core, '1.35', '<' ) ) {
	$unusual = "MediaWiki $core is older than 1.35, from which an update begins; bring it to 1.35 by hand";
} elseif ( is_link( "$root/includes" ) || is_link( "$root/index.php" ) ) {
	$unusual = 'the core is shared (it is links to another folder, as Debian\'s package makes it); update it where it is, with the package';
} elseif ( $links ) {
	$unusual = 'links lead out of the core (' . implode( ', ', array_slice( $links, 0, 3 ) ) . '): files would change there that no snapshot holds, and that others may use; put folders in their place';
} elseif ( null !== $wgSharedDB || ! empty( $wgLBFactoryConf['class'] ) ) {
	$unusual = 'several wikis share tables or servers ($wgSharedDB, $wgLBFactoryConf); this is done by hand';
} elseif ( null !== $intendant_trouble ) {
	$unusual = $intendant_trouble;
}

$log     = (string) ini_get( 'error_log' );
$log     = is_string( $wgDebugLogFile ) && '' !== $wgDebugLogFile ? $wgDebugLogFile : $log;
$told    = array();
foreach ( $extensions as $extension ) {
	unset( $extension['wants'], $extension['branch'], $extension['commit'], $extension['folder'] );
	$told[] = $extension;
}

$document = array(
	'core'       => array(
		'title'      => 'MediaWiki',
		'version'    => $core,
		'offers'     => $offers,
		'unwritable' => intendant_unwritable( $root, array( $root, "$root/includes", "$root/includes/Defines.php", "$root/languages", "$root/maintenance", "$root/vendor", "$root/resources", "$root/extensions", "$root/skins", "$root/index.php" ) ),
	),
	'platform'   => array( 'php' => PHP_VERSION, 'database' => $server ),
	'extensions' => $told,
	'sources'    => $sources,
	'checksums'  => array( array( 'component' => 'core:core', 'state' => 'unknown', 'why' => 'MediaWiki publishes no checksums; an update compares every file with the installed release and stops at a changed one' ) ),
	'busy'       => $busy,
	'leftovers'  => $leftovers,
	'address'    => is_string( $wgServer ) ? $wgServer . ( is_string( $wgScriptPath ) ? $wgScriptPath : '' ) : null,
	'error_log'  => '' !== $log && '/' === $log[0] ? $log : null,
);
if ( null !== $people ) {
	$document['administrators'] = $people;
}
if ( isset( INTENDANT_ENDS[ $series ] ) && INTENDANT_ENDS[ $series ] < gmdate( 'Y-m-d' ) ) {
	$document['core']['end_of_life'] = array( 'date' => INTENDANT_ENDS[ $series ], 'why' => "MediaWiki $series gets no more security fixes" );
}
if ( null !== $unusual ) {
	$document['unsupported'] = $unusual;
}
echo "\n@intendant-inventory@" . json_encode( $document, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
