<?php
/**
 * Prints what the site is made of and what its update services offer, as one JSON document after a marker line. It
 * reads the database and the files, and runs nothing of Joomla but its own commands that ask the services.
 *
 *   php inventory.php ROOT SCRATCH
 */

require __DIR__ . '/common.php';

$root   = rtrim( $argv[1], '/' );
$config = intendant_config( $root );
$db     = new IntendantDatabase( $config );
$asked  = intendant_refresh( $root, $db, $argv[2] );

$extensions = intendant_extensions( $db, $root );
$version    = intendant_core_version( $root );
$core_id    = 0;
foreach ( $extensions as $id => $row ) {
	$core_id = $row['is_core'] ? $id : $core_id;
}

/** Which services tell of which extension. What the commands said of them is told by the other fact; here is what they don't say. */
$services = [];
foreach ( $asked['services'] as $row ) {
	$services[ (int) $row['update_site_id'] ] = $row + [ 'of' => [] ];
}
$asked_of = [];
foreach ( $db->rows( 'SELECT * FROM #__update_sites_extensions' ) as $row ) {
	$id = (int) $row['update_site_id'];
	if ( isset( $services[ $id ], $extensions[ (int) $row['extension_id'] ] ) ) {
		$services[ $id ]['of'][]                   = (int) $row['extension_id'];
		$asked_of[ (int) $row['extension_id'] ][] = $id;
	}
}
$sources = [];
foreach ( $services as $id => $service ) {
	if ( ! $service['of'] ) {
		// Of nothing that is installed.
		continue;
	}
	$why = null;
	if ( ! (int) $service['enabled'] ) {
		$why = 'is switched off (System, Update Sites); Joomla does that by itself when one does not answer. Switch it on, or remove it with its extension';
	} elseif ( (int) $service['last_check_timestamp'] <= 0 ) {
		$why = 'was not asked';
	} elseif ( isset( $asked['odd'][ $id ] ) ) {
		$why = $asked['odd'][ $id ];
	}
	if ( null !== $why ) {
		$sources[] = [
			'name'      => "update site #$id " . intendant_line( $service['name'], 60 ),
			'reachable' => false,
			'why'       => $why,
		];
	}
}

/** The highest offer for each extension. */
$offers = [];
foreach ( $asked['updates'] as $row ) {
	$id = (int) $row['extension_id'];
	if ( ! isset( $offers[ $id ] ) || version_compare( $row['version'], $offers[ $id ]['version'], '>' ) ) {
		$offers[ $id ] = $row;
	}
}

/** What a release of Joomla itself needs of PHP and of the database, from its signed list; Joomla offers it also where that is not met. */
$server = (string) $db->value( 'SELECT VERSION()' );
$needs  = static function ( $version ) use ( $asked, $server ) {
	$sort = false === stripos( $server, 'mariadb' ) ? 'mysql' : 'mariadb';
	foreach ( $asked['releases'] as $row ) {
		$list = json_decode( (string) $row['targets'], true );
		foreach ( isset( $list['signed']['targets'] ) ? (array) $list['signed']['targets'] : [] as $target ) {
			$told = isset( $target['custom'] ) && is_array( $target['custom'] ) ? $target['custom'] : [];
			if ( isset( $told['version'] ) && $told['version'] === $version ) {
				$of = [
					'php'      => isset( $told['php_minimum'] ) ? $told['php_minimum'] : null,
					'database' => isset( $told['supported_databases'][ $sort ] ) ? $told['supported_databases'][ $sort ] : null,
				];
				return array_filter( $of, 'is_string' );
			}
		}
	}
	return [];
};

/** Whether a manifest asks for a download key that no service of the extension has. */
$lacks_key = static function ( $id, $row ) use ( $root, $services, $asked_of ) {
	$xml = intendant_manifest( $root, $row );
	if ( ! $xml || ! isset( $xml->dlid ) ) {
		return false;
	}
	$prefix = (string) $xml->dlid['prefix'];
	$suffix = (string) $xml->dlid['suffix'];
	foreach ( isset( $asked_of[ $id ] ) ? $asked_of[ $id ] : [] as $service ) {
		$text = trim( (string) $services[ $service ]['extra_query'] );
		if ( strlen( $text ) > strlen( $prefix . $suffix ) && ( '' === $prefix || 0 === strpos( $text, $prefix ) ) && ( '' === $suffix || substr( $text, -strlen( $suffix ) ) === $suffix ) ) {
			return false;
		}
	}
	return true;
};

/** The first thing below a place that this account can't replace, relative to the root. */
$unwritable = static function ( $places ) use ( $root ) {
	$seen  = 0;
	$queue = [];
	foreach ( $places as $place ) {
		if ( file_exists( "$root/$place" ) ) {
			array_push( $queue, "$root/$place", dirname( "$root/$place" ) === $root ? $root : dirname( "$root/$place" ) . '/.' );
		}
	}
	while ( $queue && $seen < INTENDANT_MOST ) {
		$one = array_pop( $queue );
		++$seen;
		if ( ! is_link( $one ) && ! is_writable( $one ) ) {
			$path = substr( preg_replace( '#/\.$#', '', $one ), strlen( $root ) + 1 );
			return '' === (string) $path ? '.' : $path;
		}
		if ( is_dir( $one ) && ! is_link( $one ) && '/.' !== substr( $one, -2 ) && $one !== $root ) {
			foreach ( (array) @scandir( $one ) as $name ) {
				if ( '.' !== $name && '..' !== $name && false !== $name ) {
					$queue[] = "$one/$name";
				}
			}
		}
	}
	return null;
};
$temporary = static function () use ( $config, $root ) {
	$path = isset( $config['tmp_path'] ) ? (string) $config['tmp_path'] : '';
	return is_dir( $path ) && is_writable( $path ) ? null : 'tmp_path in configuration.php: ' . intendant_line( $path, 120 );
};

$listed = [];
$seen   = [];
foreach ( $extensions as $id => $row ) {
	$name = $row['kind'] . ':' . $row['slug'];
	// The same translation is there for the site, the administration and the interface.
	if ( $row['is_core'] || ( 'language' === $row['kind'] && isset( $seen[ $name ] ) ) ) {
		continue;
	}
	$seen[ $name ] = true;
	$parent        = isset( $extensions[ (int) $row['package_id'] ] ) ? $extensions[ (int) $row['package_id'] ] : null;
	$one           = [
		'kind'    => $row['kind'],
		'slug'    => $row['slug'],
		'title'   => isset( $row['manifest']['name'] ) && is_string( $row['manifest']['name'] ) ? $row['manifest']['name'] : $row['name'],
		'version' => intendant_version( $root, $row ),
		'active'  => (bool) (int) $row['enabled'],
		'shipped' => $row['shipped'],
		'parent'  => $parent ? $parent['kind'] . ':' . $parent['slug'] : null,
	];
	// What a package brought is updated with the package, where that has a service of its own.
	if ( isset( $offers[ $id ] ) && ! ( $parent && ! empty( $asked_of[ (int) $row['package_id'] ] ) ) ) {
		$service      = isset( $services[ (int) $offers[ $id ]['update_site_id'] ] ) ? $services[ (int) $offers[ $id ]['update_site_id'] ] : [ 'location' => '' ];
		$one['offer'] = [
			'version' => trim( $offers[ $id ]['version'] ),
			'package' => ! $lacks_key( $id, $row ),
			'source'  => parse_url( trim( $service['location'] ), PHP_URL_HOST ),
		];
		$places       = intendant_places( $row );
		foreach ( $extensions as $child ) {
			$places = (int) $child['package_id'] === $id ? array_merge( $places, intendant_places( $child ) ) : $places;
		}
		$one['unwritable'] = $unwritable( $places ) ?: $temporary();
	}
	$listed[] = $one;
}

$core_offers = [];
if ( isset( $offers[ $core_id ] ) && version_compare( $offers[ $core_id ]['version'], (string) $version, '>' ) ) {
	$core_offers[] = [
		'version'  => trim( $offers[ $core_id ]['version'] ),
		'package'  => true,
		'manual'   => is_file( "$root/cli/joomla.php" ) ? null : 'Joomla 3.10 has no command that updates its core: do it in the administration, under Components, Joomla! Update',
		'source'   => parse_url( trim( isset( $services[ (int) $offers[ $core_id ]['update_site_id'] ] ) ? $services[ (int) $offers[ $core_id ]['update_site_id'] ]['location'] : '' ), PHP_URL_HOST ),
		'requires' => (object) $needs( $offers[ $core_id ]['version'] ),
	];
}

/** Traces of updates, and of what keeps visitors out. */
$busy      = [];
$leftovers = [];
if ( ! empty( $config['offline'] ) && 'false' !== $config['offline'] ) {
	$busy[] = [
		'what' => 'the site is offline in configuration.php',
		'lift' => 'php cli/joomla.php site:up',
	];
}
foreach ( [ 'defines.php', 'administrator/defines.php', 'api/defines.php' ] as $name ) {
	if ( false !== strpos( (string) @file_get_contents( "$root/$name", false, null, 0, 200 ), 'Intendant keeps visitors waiting' ) ) {
		$busy[] = [
			'what'  => "$name keeps visitors waiting",
			'since' => (int) filemtime( "$root/$name" ),
			'lift'  => 'intendant recover',
		];
	}
}
foreach ( [ 'update.php', 'restoration.php' ] as $name ) {
	// Joomla's own updater in the browser leaves this there while it works.
	$file = "$root/administrator/components/com_joomlaupdate/$name";
	if ( is_file( $file ) ) {
		$trace = [
			'what'  => "administrator/components/com_joomlaupdate/$name",
			'since' => (int) filemtime( $file ),
			'lift'  => "rm $file",
		];
		if ( time() - $trace['since'] < 3600 ) {
			$busy[] = $trace;
		} else {
			$leftovers[] = $trace;
		}
	}
}
foreach ( array_slice( (array) glob( rtrim( (string) ( isset( $config['tmp_path'] ) ? $config['tmp_path'] : '' ), '/' ) . '/install_*', GLOB_ONLYDIR ), 0, 20 ) as $folder ) {
	$leftovers[] = [
		'what'  => 'the unpacked package ' . basename( $folder ) . ' in the folder for temporary files',
		'since' => (int) filemtime( $folder ),
		'lift'  => "rm -r $folder",
	];
}
foreach ( $extensions as $row ) {
	$params = 'com_joomlaupdate' === $row['element'] ? json_decode( $row['params'], true ) : null;
	if ( ! empty( $params['autoupdate'] ) && ! empty( $params['autoupdate_status'] ) ) {
		$leftovers[] = [
			'what' => 'Joomla updates its own core by itself, at times that no plan knows',
			'lift' => 'php cli/joomla.php core:autoupdate:unregister',
		];
	}
}

/** Who may do everything: the groups with that right and those below them, and a digest of each address. */
$groups = [];
$rules  = json_decode( (string) $db->value( "SELECT rules FROM #__assets WHERE name = 'root.1'" ), true );
foreach ( isset( $rules['core.admin'] ) ? (array) $rules['core.admin'] : [] as $group => $may ) {
	if ( 1 === (int) $may ) {
		$groups[] = (int) $group;
	}
}
$people = $groups ? $db->rows(
	'SELECT DISTINCT u.username, u.email FROM #__users u JOIN #__user_usergroup_map m ON m.user_id = u.id
	JOIN #__usergroups g ON g.id = m.group_id JOIN #__usergroups a ON g.lft >= a.lft AND g.rgt <= a.rgt
	WHERE u.block = 0 AND a.id IN (' . implode( ',', $groups ) . ') ORDER BY u.username LIMIT ' . INTENDANT_MOST
) : [];
$administrators = [];
foreach ( $people as $one ) {
	$administrators[] = [
		'name'    => $one['username'],
		'contact' => substr( hash( 'sha256', strtolower( $one['email'] ) ), 0, 16 ),
	];
}

/** Until when this major version got fixes. */
$ends = [
	3 => '2023-08-17',
	4 => '2025-10-14',
	5 => '2027-10-12',
	6 => '2029-10-16',
];
$end  = isset( $ends[ (int) $version ] ) ? $ends[ (int) $version ] : null;
$core = [
	'title'      => 'Joomla',
	'version'    => $version,
	'offers'     => $core_offers,
	'unwritable' => $core_offers ? ( $unwritable( [ 'index.php', 'libraries/src', 'administrator/index.php', 'administrator/manifests', 'includes', 'cli' ] ) ?: $temporary() ) : null,
];
if ( null !== $end && $end < gmdate( 'Y-m-d' ) ) {
	$core['end_of_life'] = [
		'date' => $end,
		'why'  => 'Joomla ' . (int) $version . ' gets no fixes any more, not even for security; a new major version is due',
	];
}
$log = (string) ini_get( 'error_log' );

echo "\n@intendant-inventory@" . json_encode(
	[
		'core'           => $core,
		'platform'       => [
			'php'      => PHP_VERSION,
			'database' => preg_match( '/^(?:5\.5\.5-)?([0-9.]+)/', $server, $found ) ? $found[1] : null,
		],
		'database'       => intendant_schema( $root, $db, $extensions ),
		'extensions'     => $listed,
		'sources'        => $sources,
		'busy'           => $busy,
		'leftovers'      => $leftovers,
		'administrators' => $administrators,
		'address'        => ! empty( $config['live_site'] ) ? (string) $config['live_site'] : null,
		'error_log'      => '' !== $log && '/' === $log[0] ? $log : null,
	],
	JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES
) . "\n";
