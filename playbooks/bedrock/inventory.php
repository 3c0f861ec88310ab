<?php
/**
 * Prints what this site is made of and what its update services offer, as one JSON document
 * after a marker line. Runs inside WordPress (wp eval-file). It asks the update services anew
 * and writes nothing.
 */

global $wpdb, $wp_version, $wp_db_version;

require_once ABSPATH . 'wp-admin/includes/admin.php';
require_once __DIR__ . '/network.php';
require_once __DIR__ . '/layout.php';
require ABSPATH . 'wp-includes/version.php';

const INTENDANT_MOST = 5000;

/** The services that were asked, and what they answered. */
$intendant_sources = array(
	'core'    => null,
	'plugins' => null,
	'themes'  => null,
);

$intendant_note = static function ( $url, $answer ) use ( &$intendant_sources ) {
	$kinds = array(
		'/core/version-check/'   => 'core',
		'/plugins/update-check/' => 'plugins',
		'/themes/update-check/'  => 'themes',
	);
	foreach ( $kinds as $part => $kind ) {
		if ( false === strpos( (string) $url, $part ) ) {
			continue;
		}
		$why = null;
		if ( is_wp_error( $answer ) ) {
			$why = $answer->get_error_message();
		} elseif ( 200 !== (int) wp_remote_retrieve_response_code( $answer ) ) {
			$why = 'answered ' . (int) wp_remote_retrieve_response_code( $answer );
		} elseif ( ! is_array( json_decode( wp_remote_retrieve_body( $answer ), true ) ) ) {
			$why = 'answered with something that is not JSON';
		}
		// WordPress tries again without TLS; that answer proves nothing.
		if ( null === $why && 0 !== strpos( (string) $url, 'https://' ) ) {
			$why = 'answered without TLS only';
		}
		if ( ! isset( $intendant_sources[ $kind ] ) || ! $intendant_sources[ $kind ]['reachable'] ) {
			$intendant_sources[ $kind ] = array(
				'name'      => $kind . ' at ' . wp_parse_url( $url, PHP_URL_HOST ),
				'reachable' => null === $why,
				'why'       => $why,
			);
		}
	}
};
add_action(
	'http_api_debug',
	static function ( $answer, $context, $class, $arguments, $url ) use ( $intendant_note ) {
		$intendant_note( $url, $answer );
	},
	10,
	5
);
add_filter(
	'pre_http_request',
	static function ( $answer, $arguments, $url ) use ( $intendant_note ) {
		if ( false !== $answer ) {
			$intendant_note( $url, $answer );
		}
		return $answer;
	},
	PHP_INT_MAX,
	3
);

// Ask again, whatever was asked before, and write nothing: what would be remembered is kept here,
// and no statement that writes reaches the database.
wp_using_ext_object_cache( false );
$intendant_asked = array();
foreach ( array( 'update_core', 'update_plugins', 'update_themes' ) as $intendant_name ) {
	add_filter(
		'pre_set_site_transient_' . $intendant_name,
		static function ( $value ) use ( &$intendant_asked, $intendant_name ) {
			$intendant_asked[ $intendant_name ] = $value;
			return $value;
		},
		PHP_INT_MAX
	);
	add_filter(
		'pre_site_transient_' . $intendant_name,
		static function () use ( &$intendant_asked, $intendant_name ) {
			return isset( $intendant_asked[ $intendant_name ] ) ? $intendant_asked[ $intendant_name ] : new stdClass();
		},
		PHP_INT_MAX
	);
}
add_filter(
	'query',
	static function ( $query ) {
		$reads = preg_match( '/^[\s(]*(?:SELECT|SHOW|DESCRIBE|DESC|EXPLAIN|SET|USE)\b/i', $query );
		return $reads ? $query : 'DO 0';
	},
	PHP_INT_MAX
);
wp_version_check( array(), true );
wp_clean_plugins_cache( false );
wp_update_plugins();
wp_clean_themes_cache( false );
wp_update_themes();
$intendant_core         = get_site_transient( 'update_core' );
$intendant_plugins      = get_site_transient( 'update_plugins' );
$intendant_themes       = get_site_transient( 'update_themes' );
$intendant_translations = wp_get_translation_updates();
$intendant_locks        = array();
foreach ( array( 'core_updater.lock', 'auto_updater.lock' ) as $lock ) {
	$since = $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM $wpdb->options WHERE option_name = %s", $lock ) );
	// WordPress itself ignores a lock that is older than 15 minutes (core) or an hour.
	if ( $since && time() - (int) $since < ( 'core_updater.lock' === $lock ? 900 : 3600 ) ) {
		$intendant_locks[] = array(
			'what'  => $lock,
			'since' => (int) $since,
			'lift'  => "wp option delete $lock",
		);
	} elseif ( $since ) {
		$intendant_leftovers[] = array(
			'what'  => $lock,
			'since' => (int) $since,
		);
	}
}
$intendant_sites  = intendant_sites();
$intendant_data   = intendant_data_version( $intendant_sites );
$intendant_layout = intendant_layout();
// On a network, what runs on any of its sites is active.
$intendant_on_sites = $intendant_sites ? array_fill_keys( array_merge( ...array_column( $intendant_sites, 'plugins' ) ), true ) : array();
$intendant_themed   = array_merge( array( get_stylesheet(), get_template() ), ...array_column( $intendant_sites, 'themes' ) );
$intendant_spoken   = array_merge( array( get_locale() ), array_column( $intendant_sites, 'language' ) );

/** The first thing below a folder that this account can't replace, relative to the site's root. */
$intendant_unwritable = static function ( $path ) {
	$seen  = 0;
	$queue = array( $path );
	while ( $queue && $seen < INTENDANT_MOST ) {
		$one = array_pop( $queue );
		++$seen;
		if ( ! is_link( $one ) && ! is_writable( $one ) ) {
			return intendant_relative( $one );
		}
		if ( is_dir( $one ) && ! is_link( $one ) ) {
			foreach ( (array) @scandir( $one ) as $name ) {
				if ( '.' !== $name && '..' !== $name && false !== $name ) {
					$queue[] = $one . '/' . $name;
				}
			}
		}
	}
	return null;
};
$intendant_text  = static function ( $value ) {
	return is_scalar( $value ) && '' !== (string) $value ? (string) $value : null;
};
$intendant_names = static function ( $value ) {
	$names = is_array( $value ) ? $value : explode( ',', (string) $value );
	$names = array_filter( array_map( 'trim', array_filter( $names, 'is_scalar' ) ), 'strlen' );
	return array_values(
		array_map(
			static function ( $name ) {
				return 'plugin:' . $name;
			},
			$names
		)
	);
};
$intendant_offer = static function ( $answer ) use ( $intendant_text, $intendant_names ) {
	$answer = (object) $answer;
	$url    = isset( $answer->id ) && 0 === strpos( (string) $answer->id, 'w.org' ) ? 'wordpress.org' : null;
	foreach ( array( 'package', 'url', 'id' ) as $key ) {
		if ( ! $url && ! empty( $answer->$key ) && is_string( $answer->$key ) ) {
			$url = wp_parse_url( $answer->$key, PHP_URL_HOST );
		}
	}
	return array(
		'version'  => $intendant_text( isset( $answer->new_version ) ? $answer->new_version : null ),
		'package'  => ! empty( $answer->package ),
		'source'   => $intendant_text( $url ),
		'requires' => array(
			'core'       => $intendant_text( isset( $answer->requires ) ? $answer->requires : null ),
			'php'        => $intendant_text( isset( $answer->requires_php ) ? $answer->requires_php : null ),
			'extensions' => isset( $answer->requires_plugins ) ? $intendant_names( $answer->requires_plugins ) : array(),
		),
	);
};

$intendant_extensions = array();

foreach ( array_slice( get_plugins(), 0, INTENDANT_MOST ) as $file => $plugin ) {
	$path     = WP_PLUGIN_DIR . '/' . $file;
	$alone    = '.' === dirname( $file );
	$headers  = get_file_data( $path, array( 'needs' => 'Requires Plugins', 'core' => 'Requires at least', 'php' => 'Requires PHP' ) );
	$offer    = isset( $intendant_plugins->response[ $file ] ) ? $intendant_offer( $intendant_plugins->response[ $file ] ) : null;
	$extension = array(
		'kind'       => 'plugin',
		'slug'       => $alone ? basename( $file, '.php' ) : dirname( $file ),
		'file'       => $file,
		'title'      => html_entity_decode( (string) $plugin['Name'], ENT_QUOTES ),
		'version'    => $intendant_text( $plugin['Version'] ),
		'active'     => is_plugin_active( $file ) || isset( $intendant_on_sites[ $file ] ),
		'shipped'    => in_array( $file, array( 'akismet/akismet.php', 'hello.php', 'hello-dolly/hello.php' ), true ),
		'requires'   => array(
			'core'       => $intendant_text( $headers['core'] ),
			'php'        => $intendant_text( $headers['php'] ),
			'extensions' => $intendant_names( $headers['needs'] ),
		),
		'offer'      => $offer,
	);
	if ( $offer ) {
		$extension['unwritable']      = $intendant_unwritable( $alone ? $path : dirname( $path ) );
		$extension['offer']['manual'] = intendant_linked( $alone ? $path : dirname( $path ) );
	}
	$intendant_extensions[] = $extension;
}

foreach ( array( 'mu-plugin' => get_mu_plugins(), 'drop-in' => get_dropins() ) as $kind => $found ) {
	foreach ( array_slice( $found, 0, INTENDANT_MOST ) as $file => $plugin ) {
		$intendant_extensions[] = array(
			'kind'    => $kind,
			'slug'    => basename( $file, '.php' ),
			'file'    => $file,
			'title'   => html_entity_decode( (string) $plugin['Name'], ENT_QUOTES ),
			'version' => $intendant_text( $plugin['Version'] ),
			'active'  => true,
			'shipped' => false,
		);
	}
}

foreach ( array_slice( wp_get_themes( array( 'errors' => null ) ), 0, INTENDANT_MOST ) as $slug => $theme ) {
	$answer    = isset( $intendant_themes->response[ $slug ] ) ? (object) $intendant_themes->response[ $slug ] : null;
	$offer     = $answer ? $intendant_offer( $answer ) : null;
	$parent    = $theme->get_template();
	$extension = array(
		'kind'     => 'theme',
		'slug'     => (string) $slug,
		'file'     => (string) $slug,
		'title'    => html_entity_decode( (string) $theme->get( 'Name' ), ENT_QUOTES ),
		'version'  => $intendant_text( $theme->get( 'Version' ) ),
		'active'   => in_array( (string) $slug, $intendant_themed, true ),
		'shipped'  => 1 === preg_match( '/^twenty(ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|nineteen|twenty(one|two|three|four|five|six|seven)?)$/', (string) $slug ),
		'parent'   => $parent && $parent !== $slug ? 'theme:' . $parent : null,
		'requires' => array(
			'core' => $intendant_text( $theme->get( 'RequiresWP' ) ),
			'php'  => $intendant_text( $theme->get( 'RequiresPHP' ) ),
		),
		'offer'    => $offer,
	);
	if ( $offer ) {
		$extension['unwritable']      = $intendant_unwritable( $theme->get_stylesheet_directory() );
		$extension['offer']['manual'] = intendant_linked( $theme->get_stylesheet_directory() );
	}
	$intendant_extensions[] = $extension;
}

$intendant_revision = static function ( $date ) {
	return substr( preg_replace( '/[^0-9]/', '', (string) $date ), 0, 14 );
};
$intendant_fresh    = array();
foreach ( $intendant_translations as $translation ) {
	$intendant_fresh[ $translation->type . '/' . $translation->slug . '/' . $translation->language ] = $translation;
}
foreach ( array( 'core', 'plugins', 'themes' ) as $type ) {
	foreach ( wp_get_installed_translations( $type ) as $domain => $languages ) {
		foreach ( $languages as $language => $data ) {
			$of     = 'core' === $type ? 'core' : substr( $type, 0, -1 );
			$key    = $of . '/' . $domain . '/' . $language;
			$newer  = isset( $intendant_fresh[ $key ] ) ? $intendant_fresh[ $key ] : null;
			$intendant_extensions[] = array(
				'kind'    => 'language',
				'slug'    => $key,
				'title'   => $domain . ' (' . $language . ')',
				'version' => $intendant_text( $intendant_revision( isset( $data['PO-Revision-Date'] ) ? $data['PO-Revision-Date'] : '' ) ),
				'active'  => in_array( $language, $intendant_spoken, true ),
				'shipped' => 'core' === $type,
				'offer'   => $newer ? array(
					'version' => $intendant_revision( $newer->updated ),
					'package' => ! empty( $newer->package ),
					'source'  => 'wordpress.org',
				) : null,
			);
		}
	}
}

$intendant_offers = array();
foreach ( isset( $intendant_core->updates ) ? (array) $intendant_core->updates : array() as $update ) {
	if ( ! in_array( $update->response, array( 'upgrade', 'autoupdate' ), true ) || ! is_string( $update->current ) ) {
		continue;
	}
	$intendant_offers[ $update->current ] = array(
		'version'  => $update->current,
		'package'  => ! empty( $update->download ),
		'source'   => 'wordpress.org',
		'requires' => array(
			'php'      => $intendant_text( isset( $update->php_version ) ? $update->php_version : null ),
			'database' => $intendant_text( isset( $update->mysql_version ) ? $update->mysql_version : null ),
		),
	);
}

$intendant_parts = null;
foreach ( array( ABSPATH, ABSPATH . 'wp-admin', ABSPATH . 'wp-includes', ABSPATH . 'wp-login.php', ABSPATH . 'wp-settings.php', WP_CONTENT_DIR ) as $path ) {
	if ( null === $intendant_parts && ! is_writable( $path ) ) {
		$intendant_parts = intendant_relative( $path );
	}
}
$intendant_maintenance = ABSPATH . '.maintenance';
if ( file_exists( $intendant_maintenance ) ) {
	// WordPress itself takes the switch for stale after ten minutes; one without a fixed time never is.
	$intendant_fixed = preg_match( '/\$upgrading\s*=\s*([0-9]+)\s*;/', (string) file_get_contents( $intendant_maintenance ), $found );
	$intendant_since = $intendant_fixed ? (int) $found[1] : (int) filemtime( $intendant_maintenance );
	$intendant_trace = array(
		'what'  => '.maintenance',
		'since' => $intendant_since,
		'lift'  => 'rm ' . $intendant_maintenance,
	);
	if ( ! $intendant_fixed || time() - $intendant_since < 600 ) {
		$intendant_locks[] = $intendant_trace;
	} else {
		$intendant_leftovers[] = $intendant_trace;
	}
}
$intendant_answered = array();
foreach ( $intendant_sources as $kind => $source ) {
	$intendant_answered[] = $source ? $source : array(
		'name'      => $kind . ' at api.wordpress.org',
		'reachable' => false,
		'why'       => 'was not asked: something on the site blocks update requests',
	);
}
$intendant_log = (string) ini_get( 'error_log' );
if ( defined( 'WP_DEBUG' ) && WP_DEBUG && defined( 'WP_DEBUG_LOG' ) && WP_DEBUG_LOG ) {
	$intendant_log = is_string( WP_DEBUG_LOG ) ? WP_DEBUG_LOG : WP_CONTENT_DIR . '/debug.log';
}

/** Who may do everything: the name, and a digest of the address to which a new password would be sent. */
$intendant_people = array();
// Before 5.9 users can't be asked for by what they may do.
$intendant_right = version_compare( $wp_version, '5.9', '<' ) ? array( 'role' => 'administrator' ) : array( 'capability' => 'manage_options' );
foreach ( get_users( $intendant_right + array( 'number' => INTENDANT_MOST, 'orderby' => 'login' ) ) as $intendant_user ) {
	$intendant_people[ $intendant_user->user_login ] = $intendant_user->user_email;
}
foreach ( is_multisite() ? get_super_admins() : array() as $intendant_name ) {
	$intendant_user                      = get_user_by( 'login', $intendant_name );
	$intendant_people[ $intendant_name ] = $intendant_user ? $intendant_user->user_email : '';
}
$intendant_administrators = array();
foreach ( $intendant_people as $intendant_name => $intendant_address ) {
	$intendant_administrators[] = array(
		'name'    => (string) $intendant_name,
		'contact' => substr( hash( 'sha256', strtolower( (string) $intendant_address ) ), 0, 16 ),
	);
}

echo "\n@intendant-inventory@" . wp_json_encode(
	array(
		'core'       => array(
			'title'      => 'WordPress',
			'version'    => $wp_version,
			'offers'     => array_values( $intendant_offers ),
			'unwritable' => $intendant_parts,
		),
		'platform'   => array(
			'php'      => PHP_VERSION,
			'database' => preg_match( '/^(?:5\.5\.5-)?([0-9.]+)/', (string) $wpdb->get_var( 'SELECT VERSION()' ), $found ) ? $found[1] : null,
		),
		'database'   => array(
			'code' => (string) $wp_db_version,
			'data' => $intendant_data,
		),
		'extensions' => $intendant_extensions,
		'sources'    => $intendant_answered,
		'busy'       => $intendant_locks,
		'leftovers'  => isset( $intendant_leftovers ) ? $intendant_leftovers : array(),
		'administrators' => $intendant_administrators,
		'address'    => get_option( 'siteurl' ),
		'home'       => get_option( 'home' ),
		'error_log'  => '' !== $intendant_log && '/' === $intendant_log[0] ? $intendant_log : null,
		'pages'      => intendant_pages( $intendant_sites ),
		'places'     => (object) $intendant_layout['places'],
	) + ( null === $intendant_layout['why'] ? array() : array( 'unsupported' => $intendant_layout['why'] ) ),
	JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES
) . "\n";
